"""Features from the command line, with a checkpoint alone."""

import pickle
import re

import numpy as np
import pytest

from hiclr_mmaction.apis import extract_features, init_encoder
from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.zoo import DEFAULT


@pytest.fixture
def poses(tmp_path):
    content = pose_annotations(
        actions=['wave'], num_subjects=2, num_val_subjects=1, clips_per_action=2
    )
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(content))
    return path, content['annotations']


def test_features_of_pickles_and_single_clips(run_tool, small_run, poses, tmp_path):
    path, annotations = poses
    np.save(tmp_path / 'one.npy', annotations[0]['keypoint'][0])
    out = tmp_path / 'features.npz'
    run_tool('features', path, tmp_path / 'one.npy', out, '--checkpoint', small_run[1])
    written = np.load(out)
    num = len(annotations)
    assert written['features'].shape == (num + 1, 16)
    assert written['names'].tolist() == [a['frame_dir'] for a in annotations] + ['one']
    assert written['labels'].tolist() == [a['label'] for a in annotations] + [-1]
    np.testing.assert_allclose(
        written['features'][-1], written['features'][0], atol=1e-4
    )


@pytest.mark.parametrize(
    ('clips', 'out', 'message'),
    [
        ('nowhere.npy', 'f.npz', 'nowhere.npy'),
        ('a.txt', 'f.npz', "suffix '.txt' is unknown"),
        ('a.npy', 'f.csv', 'f.csv: name a .npz file'),
        ('a.npy', 'nowhere/f.npz', 'name a .npz file in a folder that is there'),
    ],
)
def test_what_cannot_be_used_is_one_line(
    run_tool, small_run, tmp_path, monkeypatch, clips, out, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.txt').touch()
    with pytest.raises(SystemExit, match=message) as error:
        run_tool('features', clips, out, '--checkpoint', small_run[1])
    assert '\n' not in str(error.value)


def test_a_file_is_overwritten_only_when_asked(run_tool, small_run, poses, tmp_path):
    out = tmp_path / 'features.npz'
    out.write_text('mine')
    command = ('features', poses[0], out, '--checkpoint', small_run[1])
    with pytest.raises(SystemExit, match='exists; name another file'):
        run_tool(*command)
    assert out.read_text() == 'mine'
    run_tool(*command, '--overwrite')
    assert np.load(out)['features'].shape[1] == 16


def test_a_wrong_label_is_named(run_tool, small_run, tmp_path):
    clip = dict(frame_dir='clip', label='walk', keypoint=np.ones((1, 9, 25, 3)))
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(dict(annotations=[clip], split={})))
    where = ('--checkpoint', small_run[1])
    with pytest.raises(SystemExit, match="label='walk' of clip"):
        run_tool('features', path, tmp_path / 'f.npz', *where)


def test_a_label_may_be_missing(run_tool, poses, tmp_path):
    content = pickle.loads(poses[0].read_bytes())
    content['annotations'][0]['label'] = None
    poses[0].write_bytes(pickle.dumps(content))
    run_tool('features', poses[0], tmp_path / 'f.npz', '--layout', 'nturgb+d')
    assert np.load(tmp_path / 'f.npz')['labels'][0] == -1


def test_the_encoder_of_the_zoo_is_the_default(run_tool, poses, tmp_path):
    path, annotations = poses
    out = tmp_path / 'features.npz'
    run_tool(
        'features',
        path,
        out,
        '--layout',
        'nturgb+d',
        *('--pool-joints', 'no', '--pool-std', 'no', '--pool-layers', 'gcn.1'),
    )
    written = np.load(out)
    assert written['features'].shape == (len(annotations), (16 + 64) * 4)
    expected = extract_features(
        init_encoder(DEFAULT, pool=dict(time=4, layers=['gcn.1'])),
        [a['keypoint'] for a in annotations],
        layout='nturgb+d',
    )
    np.testing.assert_allclose(written['features'], expected, atol=1e-5)


def test_a_pickle_that_says_its_layout_needs_no_option(run_tool, poses, tmp_path):
    path, _ = poses
    content = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps(dict(content, layout='nturgb+d')))
    first, second = (tmp_path / f'{name}.npz' for name in 'ab')
    run_tool('features', path, first)
    run_tool('features', path, second, '--layout', 'nturgb+d')
    np.testing.assert_array_equal(
        np.load(first)['features'], np.load(second)['features']
    )


def test_a_clip_that_does_not_fit_is_named_by_its_file(run_tool, poses, tmp_path):
    content = pickle.loads(poses[0].read_bytes())
    last = content['annotations'][-1]
    last['keypoint'] = last['keypoint'][:, :, :20]
    poses[0].write_bytes(pickle.dumps(dict(content, layout='nturgb+d')))
    message = f"clip '{poses[0]}: {last['frame_dir']}' has 20 joints"
    with pytest.raises(SystemExit, match=re.escape(message)):
        run_tool('features', poses[0], tmp_path / 'f.npz')


def test_another_unit_is_told_in_one_line(run_tool, poses, tmp_path, capsys):
    content = pickle.loads(poses[0].read_bytes())
    for clip in content['annotations']:
        clip['keypoint'] = clip['keypoint'] * 1000
    poses[0].write_bytes(pickle.dumps(dict(content, layout='nturgb+d')))
    run_tool('features', poses[0], tmp_path / 'f.npz')
    assert re.fullmatch('warning: persons are .* tall.*\n', capsys.readouterr().err)
