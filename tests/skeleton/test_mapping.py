"""From every known layout to every other."""

from itertools import product

import pytest
import torch
from helpers.skeletons import standing

from hiclr_mmaction.skeleton import LAYOUTS, get_layout, measured_joints
from hiclr_mmaction.skeleton.mapping import joint_mapping, map_joints

PAIRS = list(product(LAYOUTS, LAYOUTS))
POSSIBLE = [
    (source, target)
    for source, target in PAIRS
    if LAYOUTS[source].coordinates == '3d' or LAYOUTS[target].coordinates == '2d'
]


def body(layout):
    """A person who stands, as the layout has it: ``(T, V, 3)``."""
    return map_joints(torch.from_numpy(standing(3)[0]).double(), 'nturgb+d', layout)


def index(layout, name):
    return get_layout(layout).joints.index(name)


@pytest.mark.parametrize(('source', 'target'), POSSIBLE)
class TestEveryPair:
    def test_left_and_right_are_treated_alike(self, source, target):
        weights = torch.tensor(joint_mapping(source, target).weights)
        mirrored = weights[list(LAYOUTS[target].mirror)][
            :, list(LAYOUTS[source].mirror)
        ]
        torch.testing.assert_close(mirrored, weights)

    def test_person_who_stands_still_does(self, source, target):
        out = map_joints(body(source), source, target)
        assert out.shape == (3, LAYOUTS[target].num_joints, 3)
        assert out.isfinite().all()
        up = 1 if LAYOUTS[target].coordinates == '3d' else -1
        height = up * out[..., 1]
        names = LAYOUTS[target].joints
        head = names.index('head' if 'head' in names else 'nose')
        feet = [j for j, n in enumerate(names) if n in ('left ankle', 'left foot')]
        assert 1.3 < float(height[0, head] - height[0, feet].min()) < 1.7
        right, left = LAYOUTS[target].shoulders
        # In an image, the right side of who faces the camera is on the left.
        width = 0.6 if LAYOUTS[target].coordinates == '3d' else -0.6
        assert out[0, right, 0] - out[0, left, 0] == pytest.approx(width)

    def test_bones_are_as_long_as_a_persons(self, source, target):
        layout = LAYOUTS[target]
        out = map_joints(body(source), source, target)[0, :, : layout.num_axes]
        for child, parent in layout.bones:
            length = float((out[child] - out[parent]).norm())
            assert length < 0.75, (layout.joints[child], layout.joints[parent])
            limb = layout.joints[child].split(' ')[-1] in ('elbow', 'knee')
            assert length > 0.2 or not limb

    def test_missing_person_stays_missing(self, source, target):
        x = torch.zeros(2, LAYOUTS[source].num_joints, 3)
        assert not map_joints(x, source, target).any()

    def test_joints_of_the_same_name_are_taken_as_they_are(self, source, target):
        made = joint_mapping(source, target).made
        if source == target:
            assert not made
        weights = torch.tensor(joint_mapping(source, target).weights)
        for joint, name in enumerate(LAYOUTS[target].joints):
            if name in LAYOUTS[source].joints and name.startswith(('left', 'right')):
                row = torch.zeros(LAYOUTS[source].num_joints)
                row[LAYOUTS[source].joints.index(name)] = 1
                torch.testing.assert_close(weights[joint], row)
                assert name not in made


@pytest.mark.parametrize(('source', 'target'), sorted(set(PAIRS) - set(POSSIBLE)))
def test_depth_cannot_be_had(source, target):
    with pytest.raises(
        ValueError, match=f'{source}.*has no depth. Map to a .2d. layout'
    ):
        joint_mapping(source, target)


def test_pelvis_is_the_middle_of_the_hips():
    x = torch.randn(4, 15, 3)
    out = map_joints(x, 'openni15', 'kinect20')
    hips = [index('openni15', f'{side} hip') for side in ('left', 'right')]
    torch.testing.assert_close(out[:, 0], x[:, hips].mean(1))
    assert 'hip center' in joint_mapping('openni15', 'kinect20').made


def test_joint_made_of_others_has_the_lowest_score():
    x = torch.ones(1, 17, 3)
    left, right = (index('coco', f'{side} hip') for side in ('left', 'right'))
    x[0, left, 2], x[0, right, 2] = 0.4, 0.7
    hips = index('body_25', 'hips')
    assert map_joints(x, 'coco', 'body_25')[0, hips].tolist() == pytest.approx(
        [1, 1, 0.4]
    )
    x[0, left, 2] = 0
    assert map_joints(x, 'coco', 'body_25')[0, hips].tolist() == [0, 0, 0]


def test_what_is_made_of_a_lost_joint_is_lost():
    x = torch.ones(1, 3, 15, 3)
    x[0, 1, index('openni15', 'left hip')] = 0
    measured = measured_joints(x, 'openni15')
    out = map_joints(x, 'openni15', 'kinect20', measured)
    pelvis, spine, knee = (
        index('kinect20', name) for name in ('hip center', 'spine', 'left knee')
    )
    assert not out[0, 1, pelvis].any()
    assert (out[0, :, [spine, knee]] == 1).all()
    assert (out[0, [0, 2]] == 1).all()


def test_there_and_back_keeps_the_shared_joints():
    x = torch.randn(2, 20, 3)
    back = map_joints(
        map_joints(x, 'kinect20', 'azure_kinect'), 'azure_kinect', 'kinect20'
    )
    shared = [
        j for j, name in enumerate(get_layout('kinect20').joints)
        if name.startswith(('left', 'right')) or name == 'head'
    ]  # fmt: skip
    torch.testing.assert_close(back[:, shared], x[:, shared])


def test_layout_without_names_is_an_error_that_says_so():
    rod = dict(num_joints=2, bones=[(1, 0)], center=0)
    with pytest.raises(ValueError, match='the position of head, neck'):
        map_joints(torch.zeros(1, 2, 3), rod, 'openni15')
    with pytest.raises(ValueError, match='joints without names'):
        map_joints(torch.zeros(1, 20, 3), 'kinect20', rod)


def test_half_a_body_names_what_is_missing():
    arm = dict(
        joints=['left shoulder', 'right shoulder', 'left elbow', 'right elbow'],
        bones=[(1, 0), (2, 0), (3, 1)],
        center=0,
    )
    with pytest.raises(ValueError, match='the position of .*left knee'):
        map_joints(torch.zeros(1, 4, 3), arm, 'kinect20')
