"""Joints by name."""

import pytest

from hiclr_mmaction.converters.forms import joints
from hiclr_mmaction.converters.forms.joints import match, words
from hiclr_mmaction.skeleton import get_layout


@pytest.mark.parametrize(
    'name',
    ['left_shoulder', 'LShoulder', 'ShoulderLeft', 'shoulder.L', 'LEFT SHOULDER',
     'leftshoulder', 'l_shoulder', 'leftShoulder'],
)  # fmt: skip
def test_a_joint_is_known_by_any_spelling(name):
    assert words(name) == {'left', 'shoulder'}


@pytest.mark.parametrize(
    ('names', 'layout'),
    [('KINECT_V2', 'nturgb+d'), ('MEDIAPIPE', 'mediapipe'), ('COCO', 'coco'),
     ('OPENPOSE_18', 'openpose')],
)  # fmt: skip
def test_the_trackers_own_names_are_those_of_the_layout(names, layout):
    layout = get_layout(layout)
    names = getattr(joints, names)
    assert match(names, layout) == list(range(layout.num_joints))
    assert match(names[::-1], layout) == list(range(layout.num_joints))[::-1]


def test_a_layout_of_fewer_joints_takes_its_own():
    found = match(joints.BODY_25, get_layout('openpose'))
    assert [joints.BODY_25[i] for i in found] == list(joints.OPENPOSE_18)


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (
            ['a', 'b'],
            "unknown joint names: 'a', 'b', but those of layout 'coco' are 'nose'",
        ),
        (['nose', 'b'], "missing joints: the file has no 'left eye'"),
        (['nose', 'Nose'], "a joint named twice: 'Nose'"),
    ],
)
def test_other_names_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        match(names, get_layout('coco'))
