"""The checked pose data set: what it reads, and what it says of a bad file."""

import pickle

import numpy as np
import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from hiclr_mmaction.annotations.inspection import inspect_pickle
from hiclr_mmaction.datasets.synthetic import pose_annotations

CLIPS = 6


@pytest.fixture
def said(caplog):
    """What mmengine's logger says."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


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


@pytest.mark.parametrize('split', ['xsub_train', 'xsub_val'])
def test_splits_that_share_clips_are_refused(tmp_path, split):
    data = content()
    data['split']['xsub_val'].append('clip3')
    path = write(tmp_path, data)
    with pytest.raises(ValueError, match="share 1 clips, such as 'clip3'"):
        build(path, split=split)
    assert len(build(path, split=None)) == CLIPS


def test_clips_of_one_name_are_refused(tmp_path):
    data = content()
    data['annotations'].append(dict(data['annotations'][1]))
    path = write(tmp_path, data)
    with pytest.raises(ValueError, match="2 clips are called 'clip1'; give each"):
        build(path)
    assert len(build(path, split='xsub_val')) == 2


def test_file_of_another_kind_is_told_from_a_pose_pickle(tmp_path):
    with pytest.raises(ValueError, match='is not a pose pickle'):
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


def shared_list():
    """A label that has 2 ** 40 parts when it is printed."""
    value = [1]
    for _ in range(40):
        value = [value, value]
    return value


# What is stored for a clip of (1, 12, 20, 3), and why it is refused; None: it is not.
STORED = {
    'label np.int64': (dict(label=np.int64(1)), None),
    'label uint8': (dict(label=np.uint8(1)), None),
    'label 0-d array': (dict(label=np.array(1)), None),
    'label None': (dict(label=None), None),
    'label float': (dict(label=1.0), r"'clip2': label=1\.0 is not an integer"),
    'label text': (dict(label='walk'), "'clip2': label='walk' is not an integer"),
    'label list': (dict(label=[1]), r"'clip2': label=\[1\] is not an integer"),
    'label bool': (dict(label=True), "'clip2': label=True is not an integer"),
    'label -1': (dict(label=-1), None),
    'label negative': (dict(label=-2), "'clip2': label=-2; labels are 0 and above"),
    'label huge': (
        dict(label=10**5000),
        "'clip2': label=int of many digits; labels are 0",
    ),
    'label shared': (dict(label=shared_list()), "'clip2': label=.* is not an integer"),
    'label above classes': (dict(label=3), "'clip2': label=3, but the file names 3 cl"),
    'no name': (dict(frame_dir=None), r'clip number 2 \(from 0\) has no frame_dir'),
    'name a number': (dict(frame_dir=2), r'clip number 2 \(from 0\) has no frame_dir'),
    'lists': (dict(keypoint=np.ones((1, 12, 20, 3)).tolist()), None),
    'ragged lists': (
        dict(keypoint=[[[[1, 2, 3]], [[1]]]]),
        "'clip2': keypoint is list",
    ),
    'no keypoint': (dict(keypoint=None), "'clip2': keypoint is NoneType"),
    'keypoint text': (dict(keypoint='a.npy'), "'clip2': keypoint is str"),
    'no person axis': (dict(keypoint=np.ones((12, 20, 3))), r'shape \(12, 20, 3\)'),
    'nobody': (dict(keypoint=np.zeros((1, 12, 20, 3))), "'clip2': no joint was meas"),
    'beyond float32': (
        dict(keypoint=np.full((1, 12, 20, 3), 1e300)),
        'holds 720 values',
    ),
    'total_frames': (
        dict(total_frames=80),
        "'clip2': total_frames=80, but keypoint ha",
    ),
    'no total_frames': (dict(total_frames=None), None),
    'score in 3-D': (dict(keypoint_score=np.ones((1, 12, 20))), None),
    'score of another shape': (
        dict(keypoint_score=np.ones((1, 20))),
        r'shape \(1, 20\)',
    ),
    'score text': (dict(keypoint_score='high'), "'clip2': keypoint"),
}


@pytest.mark.parametrize('name', STORED)
def test_clip_is_read_or_named_and_inspection_agrees(tmp_path, name):
    change, message = STORED[name]
    data = content(classes=['a', 'b', 'c'])
    data['annotations'][2].update(change)
    path = write(tmp_path, data)
    found = inspect_pickle(path, 'kinect20').errors
    assert bool(found) == (message is not None)
    if message is None:
        dataset = build(path)
        info = dataset.get_data_info(2)
        assert 'label' not in info or type(info['label']) is int
        assert info['total_frames'] == 12
        assert info['keypoint'].shape == (1, 12, 20, 3)
    else:
        with pytest.raises(ValueError, match=message) as error:
            build(path)
        assert str(error.value).startswith(f'{path}: clip')
        assert '\n' not in str(error.value)


@pytest.mark.parametrize('none', [None, -1])
def test_clips_without_a_label_can_be_left_out(tmp_path, none, said):
    data = content()
    for clip in data['annotations'][1:4]:
        clip['label'] = none
    path = write(tmp_path, data)
    assert len(build(path)) == 4
    labelled = dict(filter_cfg=dict(labelled=True))
    dataset = build(path, **labelled)
    assert [dataset.get_data_info(i)['frame_dir'] for i in range(len(dataset))] == [
        'clip0'
    ]
    assert '1 of 4 clips have a label' in said.text
    data['annotations'][0]['label'] = none
    with pytest.raises(ValueError, match='none of 4 clips has a label'):
        build(write(tmp_path, data), **labelled)


@pytest.mark.parametrize(
    ('split', 'message'),
    [
        ([0, 1], r"names 2 clips that are not in the file.*such as 'clip0'\. Write"),
        (['videos/clip0.mp4'], r'names 1 clips that are not .*the same names'),
        (3, r"split 'xsub_train' is not a list of names but 3"),
        ([['clip0']], r"split 'xsub_train' is not a list of names"),
    ],
)
def test_split_of_other_names_is_refused(tmp_path, split, message):
    path = write(tmp_path, content(split=dict(xsub_train=split)))
    with pytest.raises(ValueError, match=message):
        build(path)


def test_names_that_are_not_in_the_file_are_said(tmp_path, said):
    data = content()
    data['split']['xsub_train'].append('clip9')
    assert len(build(write(tmp_path, data))) == 4
    assert "split 'xsub_train' names 1 clips that are not in the file" in said.text


@pytest.mark.parametrize('third', [(-0.5, 0.2), (0, 1.7)])
def test_coordinates_in_space_of_a_2d_layout_are_refused(tmp_path, third):
    keypoint = np.random.rand(1, 12, 17, 3)
    keypoint[..., 2] = np.linspace(*third, 17)
    clip = dict(frame_dir='clip0', label=0, keypoint=keypoint)
    data = dict(split=dict(xsub_train=['clip0']), annotations=[clip])
    path = write(tmp_path, data)
    with pytest.raises(
        ValueError, match="'clip0': the third .*If it is z, set a 3-D la"
    ):
        build(path, layout='coco')
    layout = dict(base='coco', coordinates='3d')
    assert len(build(path, layout=layout)) == 1
    assert [e.kind for e in inspect_pickle(path, 'coco').errors] == [
        'scores out of range'
    ]


def test_names_of_classes_are_the_metainfo(tmp_path):
    dataset = build(write(tmp_path, content(classes=['wave', 'sit', 'run'])))
    assert dataset.metainfo['classes'] == ('wave', 'sit', 'run')
    assert 'classes' not in build(write(tmp_path, content())).metainfo


def test_orientation_of_the_files_is_in_the_metainfo(tmp_path):
    orientation = dict(up='z', scale=0.01)
    dataset = build(write(tmp_path, content(orientation=orientation)))
    assert dataset.metainfo['orientation'] == orientation


def test_person_who_is_zero_first_does_not_end_the_training(tmp_path):
    data = content()
    there = data['annotations'][0]['keypoint'].astype(np.float32)
    data['annotations'][0]['keypoint'] = np.concatenate([0 * there, there])
    align = dict(type='SkeletonAlign', layout='kinect20', num_frames=8, num_person=1)
    cfg = dict(type='SkeletonDataset', ann_file=write(tmp_path, data), pipeline=[align])
    dataset = DATASETS.build(dict(cfg, split='xsub_train', layout='kinect20'))
    alone = TRANSFORMS.build(align)(dict(keypoint=there))['keypoint']
    np.testing.assert_array_equal(dataset[0]['keypoint'], alone)


@pytest.mark.parametrize('wrapper', [None, 'LabelledFraction'])
def test_names_of_classes_are_in_the_checkpoint(tmp_path, wrapper):
    settings = dict(num_subjects=4, num_val_subjects=1, clips_per_action=2)
    content = pose_annotations(actions=['wave', 'bow', 'jump'], **settings)
    cfg = synthetic_config(tmp_path)
    pipeline = cfg.train_dataloader.dataset.pipeline
    dataset = dict(
        type='SkeletonDataset', ann_file=write(tmp_path, content), split='train',
        layout='nturgb+d-stgcn', pipeline=pipeline,
    )  # fmt: skip
    if wrapper:
        dataset = dict(type=wrapper, dataset=dataset, fraction=0.5, keep_length=True)
    cfg.train_dataloader.dataset = dataset
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    Runner.from_cfg(cfg).train()
    checkpoint = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)
    assert checkpoint['meta']['dataset_meta']['classes'] == ('wave', 'bow', 'jump')


def test_what_alignment_drops_and_fills_is_said(tmp_path, said):
    data = content()
    data['annotations'][1]['keypoint'][:, :5] = 0
    data['annotations'][3]['keypoint'] += 4
    data['annotations'][3]['keypoint'][:, 4:6, 7] = 0
    path = write(tmp_path, data)
    align = dict(type='SkeletonAlign', layout='kinect20', num_frames=8, num_person=1)
    cfg = dict(type='SkeletonDataset', ann_file=path, split='xsub_train')
    DATASETS.build(dict(cfg, layout='kinect20', pipeline=[align]))
    assert (
        'in 2 of 4 clips persons or joints are lost; alignment drops 5 frames without '
        'anybody, interpolates joints 2 times.'
    ) in said.text
