"""`tools/benchmark/learners.py`: learners x sets, resumable, and two side by side."""

import pickle

import pytest
import torch

from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.skeleton import get_layout
from hiclr_mmaction.skeleton.mapping import map_joints

ONE_EPOCH = (
    'pretrain:train_cfg.max_epochs=1',
    'pretrain:train_cfg.val_interval=1',
    'pretrain:train_dataloader.batch_size=8',
)


@pytest.fixture
def folder(tmp_path):
    """A small set in the place of UTKinect's."""
    content = pose_annotations(
        actions=['wave', 'squat'],
        num_subjects=4,
        num_val_subjects=1,
        clips_per_action=4,
    )
    target = get_layout('kinect20')
    source = get_layout('nturgb+d')
    for clip in content['annotations']:
        joints = torch.as_tensor(clip['keypoint']).float()
        clip['keypoint'] = map_joints(joints, source, target).numpy()
        clip.pop('keypoint_score', None)
    train, val = content['split'].values()
    content['split'] = dict(xsub_train=train, xsub_val=val)
    file = tmp_path / 'utkinect_3d.pkl'
    file.write_bytes(pickle.dumps(dict(content, layout='kinect20')))
    return tmp_path


@pytest.mark.slow
def test_learners_are_compared_and_what_is_measured_is_kept(run_tool, folder, capfd):
    command = (
        'benchmark/learners', 'hiclr', 'vicreg', '--sets', 'utkinect', '--seeds', 0,
        '--data', folder, '--work-dir', folder / 'out', '--together', 'hiclr', 'vicreg',
        '--cfg-options', *ONE_EPOCH,
    )  # fmt: skip
    run_tool(*command)
    table = (folder / 'out' / 'learners.md').read_text()
    for row in (
        'nearest neighbour, hiclr |',
        'ridge, vicreg |',
        'ridge, hiclr + vicreg |',
    ):
        assert row in table
    assert 'ridge, vicreg minus hiclr, mean of the sets: ' in table
    assert 'a step of hiclr: 1.00 times' in table
    encoders = {p: p.stat().st_mtime_ns for p in (folder / 'out').rglob('*.pth')}
    assert len(encoders) >= 2
    run_tool(*command)
    assert encoders == {
        p: p.stat().st_mtime_ns for p in (folder / 'out').rglob('*.pth')
    }
    again = (folder / 'out' / 'learners.md').read_text()
    measured = [line for line in table.splitlines() if 'a step of' not in line]
    assert measured == [line for line in again.splitlines() if 'a step of' not in line]


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['hiclr', 'simclr'], 'simclr: there is no config simclr_stgcn_msr.py'),
        (['hiclr', '--together', 'hiclr', 'vicreg'], 'name two of the learners'),
    ],
)
def test_unknown_learners_are_named_before_any_work(
    run_tool, tmp_path, capsys, args, message
):
    with pytest.raises(SystemExit):
        run_tool('benchmark/learners', *args, '--work-dir', tmp_path / 'out')
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
