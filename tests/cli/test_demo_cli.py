"""The demo tells the class of a file, or the clips that are like it."""

import pickle

import numpy as np
import pytest
import torch
from helpers.raw_files import write_ntu
from helpers.skeletons import standing
from mmaction.registry import MODELS
from mmengine.config import Config
from PIL import Image

from hiclr_mmaction.datasets.synthetic import pose_annotations


@pytest.fixture
def poses(tmp_path):
    """Clips that are in the training set of the small run."""
    content = pose_annotations(actions=['wave', 'squat', 'push'], num_subjects=6,
                               num_val_subjects=2, clips_per_action=2)  # fmt: skip
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.fixture
def classifier(small_run, tmp_path):
    """A checkpoint of a recognizer that gives squat for every clip, most surely."""
    cfg = Config(small_run[2].to_dict(), format_python_code=False)
    cfg.model = dict(
        type='RecognizerGCN',
        data_preprocessor=dict(cfg.model.data_preprocessor),
        backbone=cfg.model.backbone,
        cls_head=dict(type='GCNHead', num_classes=3, in_channels=16),
    )
    align = cfg.test_dataloader.dataset.datasets[-1].pipeline[0]
    cfg.test_dataloader.dataset.datasets[-1].pipeline = [
        align,
        dict(type='FormatGCNInput', num_person=1),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ]
    model = MODELS.build(cfg.model)
    model.init_weights()
    torch.nn.init.zeros_(model.cls_head.fc.weight)
    model.cls_head.fc.bias.data = torch.tensor([0.0, 3.0, 1.0])
    meta = dict(
        cfg=cfg.pretty_text, dataset_meta=dict(classes=['wave', 'squat', 'push'])
    )
    path = tmp_path / 'classifier.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return path


def test_axis_and_unit_are_those_of_the_training_data_or_said(
    run_tool, classifier, tmp_path, monkeypatch
):
    drawn = []
    monkeypatch.setattr(
        'hiclr_mmaction.cli.demo.animate_clips', lambda clips, *_: drawn.extend(clips)
    )
    lying = np.stack([standing()[..., 1], -standing()[..., 0], standing()[..., 2]], -1)
    np.save(tmp_path / 'a.npy', lying[0] * 1000)
    checkpoint = torch.load(classifier)
    checkpoint['meta']['dataset_meta']['orientation'] = dict(up='y', scale=0.001)
    known = tmp_path / 'known.pth'
    torch.save(checkpoint, known)
    out = ['--out', tmp_path / 'demo.gif']
    run_tool('demo', classifier, tmp_path / 'a.npy', *out)
    run_tool('demo', known, tmp_path / 'a.npy', *out)
    run_tool('demo', known, tmp_path / 'a.npy', '--up', 'x', '--scale', '0.01', *out)
    for clip, expected in zip(drawn, [standing(), lying, standing() * 10], strict=True):
        np.testing.assert_allclose(clip, expected, atol=1e-4)


def test_classes_are_told_with_their_scores(run_tool, classifier, tmp_path, capsys):
    clip = write_ntu(tmp_path, frames=7)
    out = tmp_path / 'demo.gif'
    run_tool('demo', classifier, clip, '--out', out)
    lines = [line for line in capsys.readouterr().out.splitlines() if '%' in line]
    assert [line.split()[1] for line in lines] == ['squat', 'push', 'wave']
    scores = [float(line.split()[3].rstrip('%')) for line in lines]
    expected = torch.tensor([3.0, 1.0, 0.0]).softmax(0) * 100
    np.testing.assert_allclose(scores, expected, atol=0.06)
    with Image.open(out) as image:
        assert image.n_frames == 7


def test_without_a_classifier_the_nearest_training_clips_are_told(
    run_tool, small_run, poses, tmp_path, capsys
):
    out = tmp_path / 'demo.gif'
    run_tool('demo', small_run[1], poses, '--index', 5, '--top', 3, '--out', out)
    told = capsys.readouterr().out
    assert 'no classifier' in told
    rows = [line.split() for line in told.splitlines() if '-s0' in line]
    name = pickle.loads(poses.read_bytes())['annotations'][5]['frame_dir']
    # The clip is among them, for it is one of the training set.
    assert rows[0][1] == name
    assert rows[0][3] == name.split('-')[0]
    assert float(rows[0][5]) == pytest.approx(0, abs=1e-3)
    assert len(rows) == 3
    with Image.open(out) as image:
        assert image.n_frames == 24


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ('no config', 'does not contain its model'),
        ('code', 'cannot be read'),
    ],
)
def test_what_cannot_be_told_is_one_line(
    run_tool, small_run, poses, tmp_path, monkeypatch, change, message
):
    monkeypatch.chdir(tmp_path)
    checkpoint = torch.load(small_run[1])
    text = checkpoint['meta']['cfg']
    if change == 'no config':
        del checkpoint['meta']['cfg']
    else:
        checkpoint['meta']['cfg'] = f'{text}\nx = open("made", "w")\n'
    torch.save(checkpoint, small_run[1])
    with pytest.raises(SystemExit) as ended:
        run_tool('demo', small_run[1], poses)
    assert ended.value.code.startswith('error: ')
    assert message in ended.value.code
    assert not (tmp_path / 'made').exists()


def test_a_file_of_another_skeleton_is_named(run_tool, small_run, tmp_path):
    np.save(tmp_path / 'clip.npy', np.ones((4, 20, 3)))
    with pytest.raises(SystemExit, match="20 joints, but layout 'nturgb\\+d' has 25"):
        run_tool('demo', small_run[1], tmp_path / 'clip.npy')


def test_arguments_are_checked_before_any_work(run_tool, tmp_path):
    with pytest.raises(SystemExit, match='skeleton file not found: no.csv'):
        run_tool('demo', 'c.pth', 'no.csv')
    (tmp_path / 'clip.csv').touch()
    with pytest.raises(SystemExit, match=r'name a \.gif file in'):
        run_tool('demo', 'c.pth', tmp_path / 'clip.csv', '--out', 'x.png')
