"""Clips that stay in the pose pickle: what is read, and how little is in memory."""

import copy
import os
import pickle

import numpy as np
import pytest

from hiclr_mmaction.annotations import mapped
from hiclr_mmaction.annotations.mapped import MappedArray, leave_in_file
from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.datasets import SkeletonDataset


def annotations():
    rng = np.random.default_rng(0)
    keypoints = [
        rng.standard_normal((2, 20 + i, 20, 3)).astype((np.float32, np.float16)[i % 2])
        for i in range(6)
    ]
    keypoints[2][:] = 0  # found in the zeros of another array as well
    keypoints[4] = keypoints[3].astype(np.float32)
    return [
        dict(frame_dir=f'c{i}', label=i, total_frames=20 + i, keypoint=keypoint)
        for i, keypoint in enumerate(keypoints)
    ]


def write(folder, samples, protocol=5):
    path = folder / 'poses.pkl'
    split = dict(train=[s['frame_dir'] for s in samples])
    content = dict(split=split, annotations=samples)
    path.write_bytes(pickle.dumps(content, protocol))
    return path


def build(path):
    return SkeletonDataset(str(path), [], split='train', layout='kinect20')


def check_equal(dataset, samples):
    for i, sample in enumerate(samples):
        keypoint = dataset.get_data_info(i)['keypoint']
        assert type(keypoint) is np.ndarray
        assert keypoint.flags.writeable
        assert keypoint.dtype == sample['keypoint'].dtype
        np.testing.assert_array_equal(keypoint, sample['keypoint'])


@pytest.mark.parametrize('protocol', range(6))
def test_items_are_what_the_pickle_holds(tmp_path, protocol):
    samples = annotations()
    path = write(tmp_path, samples, protocol)
    dataset = build(path)
    check_equal(dataset, samples)
    left = len(dataset.data_bytes) < path.stat().st_size / 10
    assert left == (protocol >= 3)  # before, bytes are written as text


def test_a_process_that_is_sent_the_data_set_reads_the_same(tmp_path):
    samples = annotations()
    sent = pickle.dumps(build(write(tmp_path, samples)))
    assert len(sent) < 10_000
    mapped._open.cache_clear()
    check_equal(pickle.loads(sent), samples)


def test_an_array_changed_in_place_does_not_change_the_next_epoch(tmp_path):
    samples = annotations()
    dataset = build(write(tmp_path, samples))
    dataset.get_data_info(0)['keypoint'][:] = 7
    check_equal(dataset, samples)


def test_a_file_replaced_in_use_is_named_by_a_process_that_opens_it(tmp_path):
    path = write(tmp_path, annotations())
    dataset = build(path)
    other = write(tmp_path.joinpath('..'), annotations()[:3])
    os.replace(other, path)
    check_equal(dataset, annotations())  # this process has the old one open
    mapped._open.cache_clear()
    with pytest.raises(ValueError, match=r'poses\.pkl was changed while it was in use'):
        dataset.get_data_info(0)


def test_what_is_computed_from_a_mapped_array_is_in_memory(tmp_path):
    path = write(tmp_path, annotations())
    samples = load_pickle(path)['annotations']
    leave_in_file(samples, path)
    keypoint = samples[1]['keypoint']
    assert isinstance(keypoint, MappedArray)
    for derived in (keypoint[:, :5], keypoint + 1, copy.deepcopy(keypoint)):
        again = pickle.loads(pickle.dumps(derived))
        assert type(again) is np.ndarray
        np.testing.assert_array_equal(again, derived)


def test_pages_are_given_back(tmp_path, monkeypatch):
    """The address range of the map is resident only as far as the budget allows."""
    monkeypatch.setattr(mapped, '_KEPT_BYTES', 2**20)
    rng = np.random.default_rng(0)
    samples = [
        dict(
            frame_dir=f'c{i}',
            label=0,
            total_frames=500,
            keypoint=rng.standard_normal((2, 500, 20, 3), dtype=np.float32),
        )
        for i in range(64)
    ]
    path = write(tmp_path, samples)
    dataset = build(path)
    for i in range(64):
        dataset.get_data_info(i)
    smaps = '/proc/self/smaps'
    if not os.path.exists(smaps):
        pytest.skip('no /proc/self/smaps')
    with open(smaps) as file:
        section = file.read().split(str(path))[1]
    resident = int(section.split('Rss:')[1].split()[0])
    assert resident < path.stat().st_size / 1024 / 3
