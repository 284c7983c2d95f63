"""The .npz of CTR-GCN, both ways."""

import numpy as np
import pytest
from helpers.raw_files import quiet
from helpers.skeletons import standing

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import (
    CTRGCNConverter,
    convert,
    write_ctrgcn_arrays,
    write_pose_pickle,
)

FRAMES = (7, 12, 5)
LABELS = (3, 59, 0)
UPRIGHT = np.eye(3)


def clips(turn=UPRIGHT):
    """Three clips ``(T, 2, 25, 3)``; the last of two persons."""
    out = np.zeros((3, 12, 2, 25, 3), np.float32)
    for row, frames in enumerate(FRAMES):
        out[row, :frames, 0] = standing(frames)[0] @ turn
    out[2, :5, 1] = standing(5)[0] @ turn + [1, 0, 0]
    return out


def write(path, save=np.savez, **change):
    rows = clips(change.pop('turn', UPRIGHT)).reshape(3, 12, 150)
    labels = np.eye(60)[list(LABELS)]
    content = dict(x_train=rows[:2], y_train=labels[:2], x_test=rows[2:])
    content['y_test'] = labels[2:]
    save(path, **{k: v for k, v in {**content, **change}.items() if v is not None})
    return path


def run(converter, tmp_path):
    out = tmp_path / 'out.pkl'
    report = convert(converter, out, workers=1, console=quiet(), overwrite=True)
    return report, load_pickle(out)


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_clips_labels_and_splits_are_read(tmp_path, save):
    path = write(tmp_path / 'NTU60_CS.npz', save)
    _, content = run(CTRGCNConverter(path), tmp_path)
    assert content['split'] == dict(
        xsub_train=['train_000000', 'train_000001'], xsub_val=['test_000000']
    )
    for clip, expected, frames, label in zip(
        content['annotations'], clips(), FRAMES, LABELS, strict=True
    ):
        assert clip['label'] == label
        persons = len(clip['keypoint'])
        assert persons == (2 if label == 0 else 1)
        np.testing.assert_array_equal(
            clip['keypoint'], expected[:frames, :persons].swapaxes(0, 1)
        )


@pytest.mark.parametrize(
    ('name', 'splits'),
    [
        ('NTU60_CV', {'xview_train', 'xview_val'}),
        ('NTU120_CSet', {'xset_train', 'xset_val'}),
        ('mine', {'train', 'val'}),
    ],
)
def test_name_tells_the_protocol(tmp_path, name, splits):
    _, content = run(CTRGCNConverter(write(tmp_path / f'{name}.npz')), tmp_path)
    assert set(content['split']) == splits


def test_arrays_with_z_up_are_turned_upright(tmp_path):
    turn = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # x, -z, y
    path = write(tmp_path / 'NTU60_CS.npz', turn=turn)
    report, content = run(CTRGCNConverter(path), tmp_path)
    np.testing.assert_allclose(
        content['annotations'][0]['keypoint'], standing(7), atol=1e-6
    )
    assert report.settings['up'] == 'z'


def test_there_and_back_is_the_same(tmp_path):
    first = write(tmp_path / 'NTU60_CS.npz')
    run(CTRGCNConverter(first), tmp_path)
    back = tmp_path / 'back_CS.npz'
    shapes = write_ctrgcn_arrays(tmp_path / 'out.pkl', back)
    assert shapes['x_train'] == (2, 300, 150)
    with np.load(first) as ours, np.load(back) as theirs:
        for part in ('train', 'test'):
            np.testing.assert_array_equal(
                theirs[f'x_{part}'][:, :12], ours[f'x_{part}']
            )
            assert not theirs[f'x_{part}'][:, 12:].any()
            np.testing.assert_array_equal(theirs[f'y_{part}'], ours[f'y_{part}'])
    with pytest.raises(FileExistsError, match='overwrite'):
        write_ctrgcn_arrays(tmp_path / 'out.pkl', back)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(x_train=None), 'x_train cannot be read .* x_train, y_train'),
        (
            dict(x_train=np.zeros((2, 12, 149))),
            r'shape \(2, 12, 149\), not .* 25 joints',
        ),
        (dict(x_train=np.zeros((2, 12, 2, 75))), 'not .clips, frames'),
        (dict(y_train=np.zeros((3, 60))), r'y_train has shape \(3, 60\) for 2 clips'),
        (dict(x_train=np.array(['a', 'b'])), 'x_train cannot be read .<U1'),
    ],
)
def test_other_arrays_are_refused_with_what_is_wrong(tmp_path, change, message):
    path = write(tmp_path / 'NTU60_CS.npz', **change)
    with pytest.raises(ValueError, match=message):
        CTRGCNConverter(path)


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / 'NTU60_CS.npz'
    path.write_bytes(b'nothing')
    with pytest.raises(ValueError, match='x_train cannot be read .*not a zip file'):
        CTRGCNConverter(path)


def test_header_of_a_huge_shape_takes_no_memory(tmp_path):
    path = write(tmp_path / 'NTU60_CS.npz', x_train=np.zeros((1, 1, 1)))
    header = path.read_bytes().replace(b'(1, 1, 1), ', b'(999999999,')
    path.write_bytes(header)
    with pytest.raises(ValueError, match='x_train cannot be read'):
        CTRGCNConverter(path)


@pytest.mark.parametrize(
    ('split', 'message'),
    [
        (dict(all=['a']), 'no single pair NAME_train'),
        (
            dict(xsub_train=['a'], xsub_val=['b']),
            "'b' of split 'xsub_val' has no annot",
        ),
        (
            dict(xsub_train=['a'], xsub_val=['c']),
            "'c' of split 'xsub_val' has no label",
        ),
        (dict(xsub_train=[]), 'no split with clips'),
    ],
)
def test_pickle_that_cannot_be_written_is_named(tmp_path, split, message):
    clip = dict(frame_dir='a', label=0, keypoint=standing(3), total_frames=3)
    unlabelled = dict(frame_dir='c', keypoint=standing(3), total_frames=3)
    write_pose_pickle(tmp_path / 'a.pkl', [clip, unlabelled], split)
    with pytest.raises(ValueError, match=message):
        write_ctrgcn_arrays(tmp_path / 'a.pkl', tmp_path / 'a_CS.npz')
    assert not (tmp_path / 'a_CS.npz').exists()
