"""Improvised actions are human, alike for all persons, and unlike each other."""

import numpy as np
import pytest
import torch

from hiclr_mmaction.datasets.synthetic import SyntheticSkeletons, make_clip, perform
from hiclr_mmaction.datasets.synthetic.choreography import ACTIONS
from hiclr_mmaction.skeleton import align_clip, get_layout

SMALL = dict(num_subjects=3, num_val_subjects=1, clips_per_action=1)
NAMES = [f'improvised{number:03d}' for number in range(40)]


def test_they_follow_the_others_and_have_labels():
    dataset = SyntheticSkeletons([], actions=['wave'], improvised=2, **SMALL)
    assert dataset.metainfo['classes'] == ('wave', *NAMES[:2])
    labels = [clip['label'] for clip in dataset.load_data_list()]
    assert labels == [0, 0, 1, 1, 2, 2]
    # And change nothing of the others.
    assert SyntheticSkeletons([], **SMALL).metainfo['classes'] == tuple(ACTIONS)


@pytest.mark.parametrize('action', NAMES[:10])
def test_bones_keep_their_lengths_without_noise(action):
    keypoint = make_clip(action, 1, 0, noise=0, lost_joints=0)
    assert np.isfinite(keypoint).all()
    child, parent = np.array(get_layout('nturgb+d').bones).T
    lengths = np.linalg.norm(keypoint[:, :, child] - keypoint[:, :, parent], axis=-1)
    np.testing.assert_allclose(lengths, lengths[:, :1].repeat(len(lengths[0]), 1), 1e-4)


def test_feet_are_near_the_floor():
    for action in NAMES:
        joints = perform(action, 0, 0, np.random.default_rng(0))[0]
        assert np.median(joints[:, [14, 15, 18, 19], 1].min(1)) < 0.08


def test_everybody_moves():
    for action in NAMES:
        joints = perform(action, 0, 0, np.random.default_rng(0))[0]
        assert joints.std(0).max() > 0.03


def test_clips_of_an_action_are_nearer_than_those_of_others():
    clips = np.stack([
        align_clip_of(action, subject) for action in NAMES for subject in (0, 1)
    ])  # fmt: skip
    distance = np.linalg.norm(clips[:, None] - clips[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    found = distance.argmin(1) // 2 == np.arange(len(clips)) // 2
    assert found.mean() > 5 / 79  # chance is 1/79


def align_clip_of(action, subject):
    clip = torch.from_numpy(make_clip(action, subject, 0, noise=0, lost_joints=0))
    return align_clip(clip, 'nturgb+d', 16).flatten().numpy()


def test_another_seed_has_other_actions():
    first, other = (make_clip(NAMES[0], 0, 0, seed) for seed in (0, 1))
    assert first.shape != other.shape or not np.allclose(first, other)
