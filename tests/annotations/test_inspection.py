"""A pose pickle with each thing that can be wrong with it."""

import copy
import pickle
import re

import numpy as np
import pytest
from helpers.skeletons import coco_annotations

from hiclr_mmaction.annotations.inspection import inspect_pickle
from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.skeleton import get_layout

SETTINGS = dict(
    actions=['wave', 'squat', 'push'],
    num_subjects=3,
    num_val_subjects=1,
    clips_per_action=1,
)


@pytest.fixture(scope='module')
def good():
    return pose_annotations(**SETTINGS)


@pytest.fixture
def content(good):
    return copy.deepcopy(good)


@pytest.fixture
def inspected(tmp_path):
    """Write a content and inspect it."""

    def inspect(content, **kwargs):
        path = tmp_path / 'poses.pkl'
        path.write_bytes(pickle.dumps(content))
        return inspect_pickle(path, **kwargs)

    return inspect


def kinds(inspection, severity='error'):
    return [f.kind for f in inspection.findings if f.severity == severity]


def test_good_file_has_facts_and_no_finding(content, inspected):
    out = inspected(content)
    assert out.findings == []
    assert out.facts['clips'] == '9'
    assert out.facts['persons'] == '1 to 2, median 1'
    assert out.facts['joints'] == '25'
    assert out.facts['layout'] == 'nturgb+d (guessed from 25 joints)'
    assert out.facts['labels'] == '3 (3 clips each)'
    assert (out.facts['split train'], out.facts['split val']) == ('6', '3')
    assert out.facts['left and right'].endswith('knees and feet in 9 of 9 clips')


def test_file_that_tells_its_layout_is_believed(content, inspected):
    out = inspected(dict(content, layout='nturgb+d-stgcn'))
    assert out.layout is get_layout('nturgb+d-stgcn')
    assert inspected(dict(content, layout='coco'), layout='nturgb+d').errors == []
    assert kinds(inspected(content, layout='kinect20')) == ['wrong joint count']


def test_unknown_number_of_joints_is_said_and_the_rest_is_checked(content, inspected):
    for clip in content['annotations']:
        clip['keypoint'] = clip['keypoint'][:, :, :7]
    content['annotations'][1]['frame_dir'] = content['annotations'][0]['frame_dir']
    out = inspected(content)
    assert out.layout is None
    assert 'unknown layout' in kinds(out, 'warning')
    assert 'name taken twice' in kinds(out)


@pytest.mark.parametrize(
    ('joints', 'third', 'layout'),
    [
        (17, (0, 1), 'coco'),
        (17, (-0.5, 0.2), 'h36m'),
        (25, (0, 1), 'body_25'),
        (25, (2, 3), 'nturgb+d'),
        (20, (0, 1), 'kinect20'),
    ],
)
def test_layout_is_guessed_from_joints_and_scores(inspected, joints, third, layout):
    rng = np.random.default_rng(0)
    keypoint = rng.uniform(-1, 1, (1, 9, joints, 3))
    keypoint[..., 2] = rng.uniform(*third, keypoint.shape[:-1])
    clips = [dict(frame_dir=f'c{i}', label=i % 2, keypoint=keypoint) for i in range(4)]
    out = inspected(dict(annotations=clips))
    assert out.layout.name == layout
    assert out.facts['layout'] == f'{layout} (guessed from {joints} joints)'


def spoil_shape(content):
    content['annotations'][0]['keypoint'] = np.ones((4, 25, 3))


def spoil_nan(content):
    content['annotations'][2]['keypoint'][0, 3, 4] = np.nan


def spoil_frames(content):
    content['annotations'][2]['total_frames'] += 1


def spoil_everybody(content):
    content['annotations'][2]['keypoint'][:] = 0


def spoil_name(content):
    content['annotations'][0]['frame_dir'] = content['annotations'][1]['frame_dir']


def spoil_split(content):
    content['split']['val'].append('nowhere')


def spoil_twice(content):
    content['split']['val'].append(content['split']['val'][0])


def spoil_overlap(content):
    content['split']['val'].append(content['split']['train'][0])


def spoil_label(content):
    content['annotations'][0]['label'] = -2


def spoil_label_kind(content):
    content['annotations'][0]['label'] = '3'


def spoil_classes(content):
    content['classes'] = ['wave', 'squat']


@pytest.mark.parametrize(
    ('spoil', 'kind', 'message'),
    [
        (spoil_shape, 'wrong number of axes', r'shape \(4, 25, 3\)'),
        (spoil_nan, None, r'holds 3 values that are NaN .* frame 3'),
        (spoil_frames, 'total_frames is not the number of frames', 'total_frames='),
        (spoil_everybody, 'nobody in it', 'no joint was measured'),
        (spoil_name, 'name taken twice', '2 clips are called'),
        (spoil_split, 'split names a clip that is not there', "names 'nowhere'"),
        (spoil_twice, 'split names a clip twice', '2 times'),
        (spoil_overlap, 'splits overlap', "'train' and 'val' share 1 clips"),
        (spoil_label, 'label out of range', 'label=-2; labels are 0'),
        (spoil_label_kind, 'label is not an integer', "label='3'"),
        (spoil_classes, 'label out of range', r'names 2 classes, 0 to 1'),
    ],
)
def test_error_is_found_and_described(content, inspected, spoil, kind, message):
    spoil(content)
    out = inspected(content)
    found = {f.kind: f.message for f in out.errors}
    assert kind is None or kind in found
    text = found[kind] if kind else ' '.join(found.values())
    assert re.search(message, text)


def test_same_error_of_many_clips_is_one_finding_that_counts(content, inspected):
    for clip in content['annotations']:
        clip['total_frames'] = 7
    (finding,) = inspected(content).errors
    assert finding.count == 9


def test_oddities_are_warnings(content, inspected):
    clips = content['annotations']
    clips[0]['keypoint'] = np.concatenate(
        [clips[0]['keypoint'], np.zeros_like(clips[0]['keypoint'])]
    )
    content['split']['val'].pop()
    content['split']['empty'] = []
    del content['classes']
    for clip in clips:
        clip['label'] = {0: 0, 1: 3, 2: 5}[clip['label']]
    squat_in_train = [
        c
        for c in clips
        if c['label'] == 3 and c['frame_dir'] in content['split']['train']
    ]
    for clip in squat_in_train:
        del clip['label']
    out = inspected(content)
    assert out.errors == []
    assert set(kinds(out, 'warning')) == {
        'person without a joint',
        'clips in no split',
        'empty split',
        'clips without a label',
        'labels without clips',
        'classes of one clip',
        'classes that are evaluated and not trained',
    }


def test_prepared_clips_may_hold_absent_persons(content, inspected):
    clip = content['annotations'][0]
    clip['keypoint'] = np.concatenate(
        [clip['keypoint'], np.zeros_like(clip['keypoint'])]
    )
    content['prepared'] = dict(num_frames=50)
    assert 'person without a joint' not in kinds(inspected(content), 'warning')


def test_protocols_overlap_only_within_themselves(content, inspected):
    split = content['split']
    content['split'] = dict(
        xsub_train=split['train'],
        xsub_val=split['val'],
        xview_train=split['val'],
        xview_test=split['train'],
        train1=split['train'],
        test1=split['val'],
        test2=split['train'],
    )
    assert inspected(content).errors == []
    content['split']['test1'] = split['train']
    assert kinds(inspected(content)) == ['splits overlap']


class TestLeftAndRight:
    def test_negated_axis_in_space_is_an_error(self, content, inspected):
        for clip in content['annotations']:
            clip['keypoint'] = clip['keypoint'] * [-1, 1, 1]
        assert kinds(inspected(content)) == ['left and right exchanged']

    def test_exchanged_joints_are_an_error(self, content, inspected):
        mirror = list(get_layout('nturgb+d').mirror)
        for clip in content['annotations']:
            clip['keypoint'] = clip['keypoint'][:, :, mirror]
        (finding,) = inspected(content).errors
        assert finding.message.startswith('in 9 of 9 clips joints named left are on')

    def test_turned_axes_leave_the_sides_and_are_a_warning_of_their_own(
        self, content, inspected
    ):
        for clip in content['annotations']:
            x, y, z = np.moveaxis(clip['keypoint'], -1, 0)
            clip['keypoint'] = np.stack([x, -z, y], axis=-1)  # z up, right-handed
        out = inspected(content)
        assert out.errors == []
        (finding,) = out.findings
        assert finding.kind == 'up is another axis'
        assert 'in 9 of 9 clips heads are at z of the feet' in finding.message

    def test_mirrored_video_is_a_warning(self, inspected):
        content = coco_annotations(**SETTINGS)
        assert inspected(content).findings == []
        for clip in content['annotations']:
            clip['keypoint'][..., 0] = 1920 - clip['keypoint'][..., 0]
        out = inspected(content)
        assert kinds(out, 'warning') == ['left and right exchanged']
        assert out.errors == []

    @pytest.mark.parametrize('name', ['nw_ucla', 'msr_action3d'])
    def test_real_data_are_as_they_are_called(self, data_dir, name):
        out = inspect_pickle(data_dir / f'{name}_3d.pkl')
        assert out.errors == []
        assert set(kinds(out, 'warning')) <= {'fewer than 8 frames'}
        right, total = re.findall(r'\d+', out.facts['left and right'])
        assert int(right) > 0.9 * int(total)


class TestDoubtful:
    """What can be trained on, and is probably a mistake."""

    def change(self, content, change):
        for clip in content['annotations']:
            change(clip)
        return content

    def warning(self, out):
        (finding,) = out.findings
        return finding

    @pytest.mark.parametrize(
        ('factor', 'message'),
        [
            (1000, r'are 1\.\d+e\+03 tall.*such as --scale 0.001'),
            (100, r'such as --scale 0.01'),
            (0.1, r'are 0\.1\d+ tall, where 0.5 to 2.5 m are likely; .* to metres'),
        ],
    )
    def test_unit(self, content, inspected, factor, message):
        for clip in content['annotations']:
            clip['keypoint'] = clip['keypoint'] * factor
        finding = self.warning(inspected(content, layout='nturgb+d'))
        assert finding.kind == 'unit is not the metre'
        assert re.search(message, finding.message)

    def test_units_that_differ_between_clips(self, content, inspected):
        clip = content['annotations'][4]
        clip['keypoint'] = clip['keypoint'] * 1000
        finding = self.warning(inspected(content))
        assert (finding.kind, finding.count) == ('units differ', 1)
        assert repr(clip['frame_dir']) in finding.message

    def test_parts_of_the_picture_in_place_of_pixels(self, inspected):
        content = coco_annotations(**SETTINGS)
        for clip in content['annotations']:
            clip['keypoint'] = clip['keypoint'] / 1920
        assert self.warning(inspected(content)).kind == 'coordinates are not pixels'

    def test_clips_of_few_frames(self, content, inspected):
        for clip in content['annotations'][:2]:
            clip['keypoint'] = clip['keypoint'][:, :7]
            clip['total_frames'] = 7
        finding = self.warning(inspected(content))
        assert (finding.kind, finding.count) == ('fewer than 8 frames', 2)

    def test_one_class(self, content, inspected):
        del content['classes']
        for clip in content['annotations']:
            clip['label'] = 0
        assert self.warning(inspected(content)).kind == 'one class'

    def test_classes_of_one_clip(self, content, inspected):
        content['annotations'][0]['label'] = 3
        found = kinds(inspected(content), 'warning')
        assert 'classes of one clip' in found

    def test_names_of_classes_without_clips(self, content, inspected):
        content['classes'] = ['a', 'b', 'c', 'd', 'e']
        finding = self.warning(inspected(content))
        assert finding.kind == 'labels without clips'
        assert 'label 3, 4' in finding.message

    def test_joints_that_are_never_measured_are_named(self, content, inspected):
        for clip in content['annotations']:
            clip['keypoint'][:, :, [7, 21]] = 0
        finding = self.warning(inspected(content))
        assert finding.kind == 'joint never measured'
        assert finding.message.startswith('left hand, tip of left hand:')

    def test_joints_that_are_often_lost_are_named_and_counted(self, content, inspected):
        for clip in content['annotations']:
            clip['keypoint'][:, ::2, 19] = 0
        out = inspected(content)
        assert self.warning(out).kind == 'joint often lost'
        assert re.search(r'interpolates joints \d+ times', out.facts['persons lost'])

    def test_frames_without_anybody_are_counted(self, content, inspected):
        content['annotations'][0]['keypoint'][:, :15] = 0
        out = inspected(content)
        assert out.facts['persons lost'] == 'alignment drops 15 frames without anybody'


@pytest.mark.parametrize(
    ('content', 'kind'),
    [
        (dict(frames=3), 'not a pose pickle'),
        (dict(annotations=[3]), 'not a pose pickle'),
        (
            dict(annotations=[dict(frame_dir='a')]),
            'keypoint is not an array of numbers',
        ),
        (dict(annotations=[]), 'no clip'),
    ],
)
def test_what_is_no_pose_pickle_is_an_error(content, kind, inspected):
    assert kinds(inspected(content)) == [kind]


def test_scores_of_another_shape_are_an_error(inspected):
    content = coco_annotations(**SETTINGS)
    content['annotations'][0]['keypoint_score'] = np.ones((1, 2, 17))
    out = inspected(content)
    assert len(out.errors) == 1
    assert 'keypoint_score has shape (1, 2, 17)' in out.errors[0].message


def test_joints_metres_off_are_named(content, inspected):
    for clip in content['annotations'][:2]:
        clip['keypoint'][..., 22, 1] += 30
    out = inspected(content, layout='nturgb+d')
    (finding,) = (f for f in out.findings if f.kind == 'bones longer than a body')
    assert finding.severity == 'warning'
    assert re.match(
        r'left hand - left thumb \(30.*\), in up to 2 clips', finding.message
    )
