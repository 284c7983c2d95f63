"""Clips that are stored aligned and raw ones are not mixed up."""

import pickle

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

from hiclr_mmaction.converters import write_pose_pickle
from hiclr_mmaction.datasets import SkeletonDataset

ALIGN = dict(type='SkeletonAlign', layout='kinect20', num_frames=16, num_person=1)
VIEWS = dict(type='GrowingAugmentation', levels=[[dict(type='SkeletonShear')]])
PACK = dict(type='PackSkeletonViews')
PREPARED = dict(
    layout='kinect20', num_frames=16, num_person=1, center=2, shoulders=(8, 4)
)


def write(tmp_path, frames=(16, 16), **head):
    clips = [
        dict(
            frame_dir=f'clip{i}',
            label=i,
            total_frames=t,
            keypoint=np.random.randn(1, t, 20, 3).astype(np.float32),
        )
        for i, t in enumerate(frames)
    ]
    split = dict(all=[clip['frame_dir'] for clip in clips])
    write_pose_pickle(tmp_path / 'poses.pkl', clips, split, **head)
    return str(tmp_path / 'poses.pkl')


def build(path, pipeline, layout='kinect20', **kwargs):
    return SkeletonDataset(path, pipeline, 'all', layout=layout, **kwargs)


@pytest.mark.parametrize('expected', [None, True])
def test_prepared_clips_go_straight_into_the_views(tmp_path, expected):
    path = write(tmp_path, prepared=PREPARED)
    item = build(path, [VIEWS, PACK], prepared=expected)[1]
    assert item['inputs']['key'].shape == (1, 16, 20, 3)


def test_prepared_clips_serve_mmaction2s_own_pipeline(tmp_path):
    pipeline = [
        dict(type='FormatGCNInput', num_person=2),
        dict(type='PackActionInputs'),
    ]
    pipeline = [TRANSFORMS.build(cfg) for cfg in pipeline]
    item = build(write(tmp_path, prepared=PREPARED), pipeline)[0]
    assert item['inputs'].shape == (1, 2, 16, 20, 3)


def test_prepared_clips_refuse_to_be_aligned_again(tmp_path):
    with pytest.raises(
        ValueError, match="stored aligned for layout 'kinect20', 16 frames.*remove it"
    ):
        build(write(tmp_path, prepared=PREPARED), [ALIGN, VIEWS, PACK])


def test_transform_itself_refuses_prepared_clips(tmp_path):
    sample = build(write(tmp_path, prepared=PREPARED), [])[0]
    with pytest.raises(ValueError, match="SkeletonAlign: clip 'clip0' was aligned"):
        TRANSFORMS.build(ALIGN)(sample)


def test_raw_clips_of_different_length_need_to_be_aligned(tmp_path):
    path = write(tmp_path, frames=(16, 23))
    with pytest.raises(ValueError, match=r'raw \(16 to 23 frames.*begin it with'):
        build(path, [VIEWS, PACK])
    assert len(build(path, [ALIGN, VIEWS, PACK])) == 2


def test_raw_clips_of_one_length_may_be_anybody_s_own_preparation(tmp_path):
    assert len(build(write(tmp_path), [VIEWS, PACK])) == 2


def test_another_transform_may_make_clips_alike(tmp_path):
    path = write(tmp_path, frames=(16, 23))
    assert len(build(path, [lambda results: results, PACK])) == 2
    sampling = dict(type='UniformSampleFrames', clip_len=8)
    assert len(build(path, [sampling, dict(type='PoseDecode'), PACK])) == 2


@pytest.mark.parametrize(
    ('expected', 'head', 'message'),
    [
        (True, {}, r'prepared=True, but .*poses.pkl holds raw clips'),
        (
            False,
            dict(prepared=PREPARED),
            'prepared=False, but .* holds clips aligned for',
        ),
    ],
)
def test_config_written_for_the_other_kind_is_an_error(
    tmp_path, expected, head, message
):
    with pytest.raises(ValueError, match=message):
        build(write(tmp_path, **head), [], prepared=expected)


def test_layout_with_another_centre_is_an_error(tmp_path):
    path = write(tmp_path, prepared=dict(PREPARED, center=1))
    with pytest.raises(ValueError, match='aligned for layout .* has center 2'):
        build(path, [PACK])


def test_layouts_that_differ_in_edges_alone_are_one(tmp_path):
    clip = dict(frame_dir='a', label=0, keypoint=np.ones((2, 16, 25, 3), np.float32))
    prepared = dict(PREPARED, layout='nturgb+d', center=20, num_person=2)
    write_pose_pickle(tmp_path / 'a.pkl', [clip], dict(all=['a']), prepared=prepared)
    path = str(tmp_path / 'a.pkl')
    assert len(build(path, [PACK], layout='nturgb+d-stgcn')) == 1


@pytest.mark.parametrize('prepared', [True, dict(frames=50)])
def test_unknown_preparation_is_an_error(tmp_path, prepared):
    with pytest.raises(ValueError, match='convert the data again'):
        build(write(tmp_path, prepared=prepared), [PACK])


def test_pickle_without_splits_is_read_whole(tmp_path):
    clips = [dict(frame_dir='a', label=0, keypoint=np.ones((1, 4, 20, 3)))]
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(clips))
    assert len(SkeletonDataset(str(path), [], layout='kinect20')) == 1
    with pytest.raises(ValueError, match='it has none: leave split out'):
        SkeletonDataset(str(path), [], 'xsub_train', layout='kinect20')
