"""The released arrays, both ways."""

import pickle

import numpy as np
import pytest
from helpers.raw_files import quiet, write_ntu
from helpers.skeletons import standing

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import (
    HiCLRArrayConverter,
    NTUConverter,
    convert,
    write_hiclr_arrays,
)
from hiclr_mmaction.datasets import SkeletonDataset

NAMES = ['S001C001P001R001A001', 'S001C001P002R001A005', 'S001C002P003R001A007']


def run(source, out, **kwargs):
    return convert(source, out, workers=1, allow_empty=True, console=quiet(), **kwargs)


def write_pair(folder, split, clips, names=NAMES, labels=(0, 4, 6), suffix='.skeleton'):
    folder.mkdir(exist_ok=True)
    np.save(folder / f'{split}_position.npy', clips)
    pair = ([name + suffix for name in names], list(labels))
    (folder / f'{split}_label.pkl').write_bytes(pickle.dumps(pair))


def raw_clips():
    clips = np.random.randn(3, 3, 300, 25, 2).astype(np.float32) + 1
    for clip, frames in zip(clips, (40, 90, 300), strict=True):
        clip[:, frames:] = 0
    clips[:2, ..., 1] = 0
    return clips


def aligned_clips():
    clips = np.random.randn(3, 3, 50, 25, 2).astype(np.float32)
    clips[:, :, :, 20] = 0
    clips[0, ..., 1] = 0
    return clips


def test_aligned_arrays_become_a_prepared_pickle(tmp_path):
    clips = aligned_clips()
    write_pair(tmp_path / 'in', 'train', clips)
    write_pair(tmp_path / 'in', 'val', clips[:2], ['a', 'b'], [1, 2])
    run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl')
    content = load_pickle(tmp_path / 'a.pkl')
    assert content['split'] == dict(train=NAMES, val=['a', 'b'])
    assert content['prepared']['num_frames'] == 50
    dataset = SkeletonDataset(
        str(tmp_path / 'a.pkl'), [], 'train', layout='nturgb+d-stgcn', prepared=True
    )
    for i in range(3):
        np.testing.assert_array_equal(
            dataset[i]['keypoint'], clips[i].transpose(3, 1, 2, 0)
        )
    assert dataset.get_data_info(1)['subject'] == 2
    assert dataset.get_data_info(2)['label'] == 6


def test_clip_of_several_splits_is_one_clip(tmp_path):
    clips = aligned_clips()
    write_pair(tmp_path / 'in', 'xsub_train', clips[:2], NAMES[:2], (0, 4))
    write_pair(tmp_path / 'in', 'xview_train', clips[1:], NAMES[1:], (4, 6))
    np.save(tmp_path / 'in' / 'xsub_train_motion.npy', clips[:2])
    report = run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl')
    assert (report.clips, report.skipped) == (3, [])
    split = load_pickle(tmp_path / 'a.pkl')['split']
    assert split == dict(xsub_train=NAMES[:2], xview_train=NAMES[1:])
    write_pair(tmp_path / 'in', 'xview_train', clips[1:], NAMES[1:], (5, 6))
    with pytest.raises(ValueError, match='A005.* has label 5, but 4 in another split'):
        run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'b.pkl')


def test_padding_of_raw_arrays_is_cut(tmp_path):
    clips = raw_clips()
    write_pair(tmp_path / 'in', 'train', clips)
    run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl')
    content = load_pickle(tmp_path / 'a.pkl')
    assert 'prepared' not in content
    shapes = [clip['keypoint'].shape for clip in content['annotations']]
    assert shapes == [(1, 40, 25, 3), (1, 90, 25, 3), (2, 300, 25, 3)]


@pytest.mark.parametrize('make', [raw_clips, aligned_clips])
def test_there_and_back_is_the_same(tmp_path, make):
    clips = make()
    write_pair(tmp_path / 'in', 'train', clips, suffix='')
    run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl')
    (tmp_path / 'out').mkdir()
    shapes = write_hiclr_arrays(tmp_path / 'a.pkl', tmp_path / 'out')
    assert shapes == dict(train=clips.shape)
    np.testing.assert_array_equal(np.load(tmp_path / 'out/train_position.npy'), clips)
    assert load_pickle(tmp_path / 'out/train_label.pkl') == load_pickle(
        tmp_path / 'in/train_label.pkl'
    )


def test_raw_ntu_files_to_aligned_arrays(tmp_path):
    write_ntu(tmp_path / 'raw', NAMES[0])
    write_ntu(tmp_path / 'raw', NAMES[2], seed=4)
    run(NTUConverter([tmp_path / 'raw']), tmp_path / 'a.pkl', align=50)
    write_hiclr_arrays(tmp_path / 'a.pkl', tmp_path)
    clips = np.load(tmp_path / 'xsub_train_position.npy')
    assert clips.shape == (1, 3, 50, 25, 2)
    assert np.load(tmp_path / 'xsub_val_position.npy').shape == (1, 3, 50, 25, 2)
    assert (clips[..., 20, 0] == 0).all()
    assert (clips[..., 0] != 0).any()
    assert not clips[..., 1].any()


def test_aligning_what_is_aligned_is_an_error(tmp_path):
    write_pair(tmp_path / 'in', 'train', aligned_clips())
    with pytest.raises(
        ValueError, match='align=50, but .* aligned .* leave out --align'
    ):
        run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl', align=50)


def test_raw_and_aligned_arrays_in_one_folder_are_an_error(tmp_path):
    write_pair(tmp_path, 'train', aligned_clips())
    write_pair(tmp_path, 'val', raw_clips())
    with pytest.raises(ValueError, match='train, val are not alike'):
        HiCLRArrayConverter(tmp_path)


def test_label_file_of_another_array_is_an_error(tmp_path):
    write_pair(tmp_path, 'train', aligned_clips()[:2])
    with pytest.raises(
        ValueError, match='3 names and 3 labels for an array of 2 clips'
    ):
        run(HiCLRArrayConverter(tmp_path), tmp_path / 'a.pkl')


def test_folder_without_a_pair_is_an_error(tmp_path):
    np.save(tmp_path / 'train_position.npy', aligned_clips())
    with pytest.raises(ValueError, match='has no pair such as'):
        HiCLRArrayConverter(tmp_path)


def test_nan_in_the_array_is_reported(tmp_path):
    clips = aligned_clips()
    clips[1, 0, 3, 2, 0] = np.nan
    write_pair(tmp_path / 'in', 'train', clips)
    report = run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl')
    assert report.reasons == {'NaN or infinite': 1}
    assert report.skipped[0]['clip'] == NAMES[1]


def test_older_arrays_are_refused_before_any_is_written(tmp_path):
    write_pair(tmp_path / 'in', 'train', aligned_clips())
    write_pair(tmp_path / 'in', 'val', aligned_clips(), ['a', 'b', 'c'])
    run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl')
    (tmp_path / 'val_label.pkl').write_text('mine')
    with pytest.raises(FileExistsError, match='val_label.pkl exists'):
        write_hiclr_arrays(tmp_path / 'a.pkl', tmp_path)
    assert not (tmp_path / 'train_position.npy').exists()
    write_hiclr_arrays(tmp_path / 'a.pkl', tmp_path, overwrite=True)
    assert load_pickle(tmp_path / 'val_label.pkl')[0] == ['a', 'b', 'c']


def test_arrays_of_2s_agcn_are_turned_upright(tmp_path):
    body = standing(40)[0]
    z_up = np.stack([body[..., 0], -body[..., 2], body[..., 1]])  # (3, T, V)
    clips = np.zeros((2, 3, 300, 25, 2), np.float32)
    clips[:, :, :40, :, 0] = z_up
    (tmp_path / 'in').mkdir()
    np.save(tmp_path / 'in' / 'train_data_joint.npy', clips)
    names = [f'{name}.skeleton' for name in NAMES[:2]]
    (tmp_path / 'in' / 'train_label.pkl').write_bytes(pickle.dumps((names, [0, 4])))
    report = run(HiCLRArrayConverter(tmp_path / 'in'), tmp_path / 'a.pkl')
    clip = load_pickle(tmp_path / 'a.pkl')['annotations'][0]
    np.testing.assert_allclose(clip['keypoint'], body[None], atol=1e-6)
    assert report.remarks == ['heads are at z: turned so that y is up (--up)']


def test_clip_too_long_for_an_array_is_named(tmp_path):
    write_ntu(tmp_path / 'raw', frames=301)
    source = NTUConverter([tmp_path / 'raw'], max_frames=None)
    run(source, tmp_path / 'a.pkl')
    with pytest.raises(ValueError, match="'S001C001P001R001A001' .* does not fit"):
        write_hiclr_arrays(tmp_path / 'a.pkl', tmp_path)
    assert not list(tmp_path.glob('*.npy'))
