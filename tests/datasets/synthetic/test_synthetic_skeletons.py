"""Synthetic skeletons are human, reproducible, and split by subject."""

import mmengine
import numpy as np
import pytest
from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS

from hiclr_mmaction.datasets.synthetic import (
    SyntheticSkeletons,
    make_clip,
    perform,
    pose_annotations,
)
from hiclr_mmaction.datasets.synthetic.choreography import ACTIONS
from hiclr_mmaction.datasets.synthetic.synthetic_skeletons import kept_clip
from hiclr_mmaction.skeleton.layouts import get_layout

SMALL = dict(num_subjects=3, num_val_subjects=1, clips_per_action=1)
ALONE = [name for name, action in ACTIONS.items() if action.num_persons == 1]
TOGETHER = [name for name, action in ACTIONS.items() if action.num_persons == 2]
LEFT_SHOULDER, LEFT_WRIST, RIGHT_SHOULDER, RIGHT_WRIST = 4, 6, 8, 10


def clips(split='train', **settings):
    """The clips of a data set, made anew."""
    kept_clip.cache_clear()
    return SyntheticSkeletons([], split, **{**SMALL, **settings}).load_data_list()


def performance(action, subject=0, seed=0, draw=0):
    """Joints in the actor's axes: x left, y up, z forward, floor at 0."""
    return perform(action, subject, seed, np.random.default_rng(draw))


def deviation(joints, first, middle, last):
    """From the straight line of a limb to its middle joint, ``(T, 3)``."""
    line = joints[:, last] - joints[:, first]
    line /= np.linalg.norm(line, axis=-1, keepdims=True)
    offset = joints[:, middle] - joints[:, first]
    return offset - (offset * line).sum(-1, keepdims=True) * line


def test_registry_builds_it_with_names_of_its_classes():
    dataset = DATASETS.build(dict(type='SyntheticSkeletons', pipeline=[], **SMALL))
    assert list(dataset.metainfo['classes']) == list(ACTIONS)
    assert len(ACTIONS) >= 10
    item = dataset[0]
    assert item['keypoint'].dtype == np.float32
    assert item['keypoint'].shape == (1, item['total_frames'], 25, 3)
    assert item['frame_dir'] == 'wave-s00-r00'


def test_same_seed_gives_the_same_clips_and_another_seed_others():
    for first, again, other in zip(clips(), clips(), clips(seed=1), strict=True):
        np.testing.assert_array_equal(first['keypoint'], again['keypoint'])
        assert not np.array_equal(first['keypoint'], other['keypoint'])


def test_clip_does_not_depend_on_order_size_or_global_random_state():
    whole = {clip['frame_dir']: clip['keypoint'] for clip in clips()}
    np.random.seed(7)  # noqa: NPY002
    for clip in clips(actions=['push', 'bow'], clips_per_action=2):
        if clip['frame_dir'] in whole:
            np.testing.assert_array_equal(clip['keypoint'], whole[clip['frame_dir']])


def test_repetitions_of_one_subject_differ():
    first, second = (make_clip('bow', 0, repetition) for repetition in (0, 1))
    assert first.shape != second.shape or not np.allclose(first, second)


def test_splits_share_no_subject_and_each_has_every_action():
    train, val = clips('train'), clips('val')
    assert {clip['subject'] for clip in train} == {0, 1}
    assert {clip['subject'] for clip in val} == {2}
    for split in (train, val):
        assert {clip['label'] for clip in split} == set(range(len(ACTIONS)))
    names = [clip['frame_dir'] for clip in train + val]
    assert len(set(names)) == len(names) == 3 * len(ACTIONS)


def test_labels_follow_the_chosen_actions():
    dataset = SyntheticSkeletons([], actions=['kick', 'wave'], **SMALL)
    assert list(dataset.metainfo['classes']) == ['kick', 'wave']
    for clip in dataset.load_data_list():
        name = clip['frame_dir'].split('-')[0]
        assert ['kick', 'wave'][clip['label']] == name


def test_two_persons_are_in_actions_between_two_only():
    for clip in clips():
        people = 2 if clip['frame_dir'].split('-')[0] in TOGETHER else 1
        assert len(clip['keypoint']) == people


@pytest.mark.parametrize('action', ACTIONS)
def test_bones_keep_their_lengths_without_noise(action):
    keypoint = make_clip(action, 1, 0, noise=0, lost_joints=0)
    child, parent = np.array(get_layout('nturgb+d').bones).T
    lengths = np.linalg.norm(keypoint[:, :, child] - keypoint[:, :, parent], axis=-1)
    assert lengths.min() > 0.02
    np.testing.assert_allclose(lengths, lengths[:, :1].repeat(len(lengths[0]), 1), 1e-4)


def test_left_and_right_limbs_of_a_person_are_equally_long():
    layout = get_layout('nturgb+d')
    child, parent = np.array(layout.bones).T
    joints = performance('throw')[0, 0]
    other = joints[list(layout.mirror)]
    np.testing.assert_allclose(
        np.linalg.norm(joints[child] - joints[parent], axis=-1),
        np.linalg.norm(other[child] - other[parent], axis=-1),
        rtol=1e-6,
    )


def test_noise_has_the_size_that_is_asked_for():
    clean = make_clip('bow', 0, 0, noise=0, lost_joints=0)
    noisy = make_clip('bow', 0, 0, noise=0.02, lost_joints=0)
    assert 0.01 < (noisy - clean).std() < 0.04


def test_lost_joints_are_far_off_for_a_part_of_the_clip_only():
    clean = make_clip('jump', 0, 0, noise=0, lost_joints=0)
    spoilt = make_clip('jump', 0, 0, noise=0, lost_joints=0.3)
    off = np.linalg.norm(spoilt - clean, axis=-1)[0] > 1e-3
    assert 0 < off.any(axis=0).mean() < 1
    assert not off.all(axis=0).any()


@pytest.mark.parametrize('action', ACTIONS)
def test_feet_are_near_the_floor_and_the_head_is_on_top(action):
    for joints in performance(action):
        lowest = joints[:, [14, 15, 18, 19], 1].min(axis=1)
        assert lowest.min() > -0.05
        assert np.median(lowest) < 0.06
        if action == 'jump':
            assert lowest.max() > 0.08
        else:
            assert lowest.max() < 0.08
        if action != 'bow':
            spine = joints[:, [0, 1, 20, 2, 3], 1]
            assert (np.diff(spine, axis=1) > 0).all()


@pytest.mark.parametrize('action', ALONE)
def test_left_limbs_are_on_the_left_for_either_hand(action):
    for subject in (0, 2):
        joints = performance(action, subject)[0].mean(axis=0)
        for left, right in ((4, 8), (12, 16), (14, 18)):
            assert joints[left, 0] > joints[right, 0]
        assert (joints[[15, 19], 2] > joints[[14, 18], 2]).all()


@pytest.mark.parametrize('action', ALONE)
def test_camera_sees_left_at_smaller_x_and_toes_towards_it_as_kinect_does(action):
    for repetition in range(3):
        clip = make_clip(action, 1, repetition, noise=0, lost_joints=0)
        joints = clip[0].mean(axis=0)
        assert joints[LEFT_SHOULDER, 0] < joints[RIGHT_SHOULDER, 0]
        assert joints[[15, 19], 2].mean() < joints[[14, 18], 2].mean()
        assert joints[3, 1] > joints[0, 1] > joints[15, 1]
        assert 1.5 < joints[0, 2] < 5.5


@pytest.mark.parametrize('action', ALONE)
def test_knees_bend_forward(action):
    joints = performance(action, draw=1)[0]
    for hip, knee, ankle in ((12, 13, 14), (16, 17, 18)):
        bend = deviation(joints, hip, knee, ankle)
        # A thigh held out in front has its knee above the line, not below.
        assert (bend @ [0, 0.4, 1] > 0).all()


@pytest.mark.parametrize('action', ['walk', 'squat', 'clap', 'wave', 'punch', 'drink'])
def test_elbows_bend_backward_or_down(action):
    joints = performance(action, draw=1)[0]
    for shoulder, elbow, wrist in ((4, 5, 6), (8, 9, 10)):
        bend = deviation(joints, shoulder, elbow, wrist)
        assert (bend @ [0, -1, -1] > 0).all()


def test_fingers_and_thumbs_stay_near_their_hands():
    for action in ACTIONS:
        for joints in performance(action):
            for hand, tip, thumb in ((7, 21, 22), (11, 23, 24)):
                for part in (tip, thumb):
                    gap = np.linalg.norm(joints[:, part] - joints[:, hand], axis=-1)
                    assert gap.max() < 0.12


@pytest.mark.parametrize(
    ('subject', 'own', 'other'),
    [(0, RIGHT_WRIST, LEFT_WRIST), (2, LEFT_WRIST, RIGHT_WRIST)],
)
def test_persons_mostly_wave_with_their_own_hand(subject, own, other):
    own_hand = 0
    for draw in range(9):
        highest = performance('wave', subject, draw=draw)[0, :, :, 1].max(axis=0)
        own_hand += highest[own] > highest[other]
    assert own_hand > 5


def test_shaking_hands_meet_and_pairs_face_each_other():
    for draw in range(4):
        first, second = performance('handshake', draw=draw)
        gap = np.linalg.norm(first[:, 11] - second[:, 11], axis=-1)
        assert gap.min() < 0.2
        # Toes point to the partner.
        assert (first[:, 15, 2] > first[:, 14, 2]).all()
        assert (second[:, 15, 2] < second[:, 14, 2]).all()
        assert (first[:, 0, 2] < second[:, 0, 2]).all()


def test_foot_on_the_floor_does_not_slide_when_walking():
    joints = performance('walk')[0]
    way = joints[-1, 0, 2] - joints[0, 0, 2]
    steps = np.linalg.norm(np.diff(joints[:, [14, 18]], axis=0), axis=-1)
    assert way > 0.5
    # In most frames one foot stands: much slower than the body.
    slowest = np.median(steps.min(axis=1))
    assert slowest < 0.2 * way / (len(joints) - 1)


def test_nearest_neighbour_of_raw_coordinates_is_above_chance():
    settings = dict(num_subjects=6, num_val_subjects=2, clips_per_action=2)

    def features(split):
        vectors, labels = [], []
        for clip in clips(split, **settings):
            frames = np.linspace(0, clip['total_frames'] - 1, 20).round().astype(int)
            keypoint = clip['keypoint'][0, frames]
            vectors.append((keypoint - keypoint[:, 20:21]).ravel())
            labels.append(clip['label'])
        vectors = np.array(vectors)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors, np.array(labels)

    (known, known_labels), (asked, labels) = features('train'), features('val')
    found = known_labels[(asked @ known.T).argmax(axis=1)]
    assert (found == labels).mean() > 2 / len(ACTIONS)


def test_annotations_are_a_pickle_that_pose_dataset_reads(tmp_path):
    path = tmp_path / 'synthetic.pkl'
    mmengine.dump(pose_annotations(actions=['bow', 'push'], **SMALL), path)
    for split, expected in (('train', 4), ('val', 2)):
        dataset = PoseDataset(str(path), [], split=split)
        assert len(dataset) == expected
        clip = clips(split, actions=['bow', 'push'])[0]
        np.testing.assert_array_equal(dataset[0]['keypoint'], clip['keypoint'])


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        (dict(split='test'), r"split='test'.*train, val"),
        (dict(actions=['fly', 'bow']), r"\['fly'\].*wave, clap"),
        (dict(actions=[]), r'actions=\[\]'),
        (dict(actions=['bow', 'bow']), 'once'),
        (dict(num_subjects=0), 'num_subjects=0'),
        (dict(clips_per_action=-1), 'clips_per_action=-1'),
        (dict(clips_per_action=1.5), 'clips_per_action=1.5'),
        (dict(num_val_subjects=0), 'num_val_subjects=0'),
        (dict(num_val_subjects=3), 'num_val_subjects=3 leaves nobody'),
        (dict(seed=-1), 'seed=-1'),
        (dict(noise=-0.1), 'noise=-0.1'),
        (dict(noise=float('nan')), 'noise=nan'),
        (dict(lost_joints=1.1), 'lost_joints=1.1'),
    ],
)
def test_wrong_setting_is_named_with_value_and_remedy(setting, message):
    with pytest.raises(ValueError, match=message):
        SyntheticSkeletons([], **{**SMALL, **setting})
