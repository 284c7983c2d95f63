"""The checked pose data set: what it reads, and what it says of a bad file."""

import pickle

import numpy as np
import pytest
from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS

CLIPS = 6


def content(**changes):
    annotations = [
        dict(
            frame_dir=f'clip{i}',
            label=i % 3,
            total_frames=10 + i,
            keypoint=np.random.randn(1, 10 + i, 20, 3).astype(np.float16),
        )
        for i in range(CLIPS)
    ]
    split = dict(
        xsub_train=[f'clip{i}' for i in range(4)], xsub_val=['clip4', 'clip5'], none=[]
    )
    return dict(dict(split=split, annotations=annotations), **changes)


def write(tmp_path, data):
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(data))
    return str(path)


def build(path, split='xsub_train', layout='kinect20', **kwargs):
    return DATASETS.build(
        dict(
            type='SkeletonDataset',
            ann_file=path,
            split=split,
            layout=layout,
            pipeline=[],
            **kwargs,
        )
    )


def test_reads_what_pose_dataset_reads(tmp_path):
    path = write(tmp_path, content())
    ours, stock = build(path), PoseDataset(path, [], split='xsub_train')
    assert len(ours) == len(stock) == 4
    for i in range(4):
        a, b = ours.get_data_info(i), stock.get_data_info(i)
        assert a.keys() == b.keys()
        np.testing.assert_array_equal(a['keypoint'], b['keypoint'])
        assert a['frame_dir'] == b['frame_dir']


def test_missing_file_is_named_with_the_remedy():
    with pytest.raises(
        FileNotFoundError, match=r"ann_file='data/none.pkl' does not exist"
    ):
        build('data/none.pkl')


def test_missing_split_lists_those_that_are(tmp_path):
    path = write(tmp_path, content())
    with pytest.raises(
        ValueError,
        match=r"'xsub_trian' is not in .*xsub_train, xsub_val.*mean 'xsub_train'",
    ):
        build(path, split='xsub_trian')


def test_empty_split_is_named(tmp_path):
    with pytest.raises(ValueError, match="split 'none' holds no clip"):
        build(write(tmp_path, content()), split='none')


def test_file_of_another_kind_is_told_from_a_pose_pickle(tmp_path):
    with pytest.raises(ValueError, match='is no pose pickle'):
        build(write(tmp_path, dict(videos=[])))


def test_layout_with_other_joints_names_both_numbers(tmp_path):
    with pytest.raises(
        ValueError, match="'clip0' has 20 joints, but layout 'coco' has 17"
    ):
        build(write(tmp_path, content()), layout='coco')


def test_unknown_layout_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match="layout='kinect' is unknown; known are"):
        build(write(tmp_path, content()), layout='kinect')


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_clip_that_is_not_finite_is_found_before_training(tmp_path, value):
    data = content()
    data['annotations'][2]['keypoint'][0, 5, 3, 1] = value
    with pytest.raises(ValueError, match=r"clip 'clip2' holds 1 values .* frame 5"):
        build(write(tmp_path, data))


def test_clip_without_frames_is_found_before_training(tmp_path):
    data = content()
    data['annotations'][1]['keypoint'] = np.zeros((1, 0, 20, 3))
    with pytest.raises(ValueError, match="clip 'clip1' has 1 persons and 0 frames"):
        build(write(tmp_path, data))


def test_a_bad_clip_of_another_split_does_not_matter(tmp_path):
    data = content()
    data['annotations'][5]['keypoint'][:] = np.nan
    assert len(build(write(tmp_path, data))) == 4
