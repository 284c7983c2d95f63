"""Joints by name."""

import pytest
from helpers.own_files import AZURE_KINECT, BODY_25, KINECT_V2, MEDIAPIPE

from hiclr_mmaction.converters.forms.joints import match
from hiclr_mmaction.skeleton import get_layout


@pytest.mark.parametrize(
    'spell',
    [
        lambda side, part: f'{side}_{part}',
        lambda side, part: f'{part.title()}{side.title()}',
        lambda side, part: f'{side} {part}'.upper(),
        lambda side, part: f'{side[0].upper()}{part}',
        lambda side, part: f'{side[0]}{part}',
        lambda side, part: f'{side[0].upper()}{part.title()}',
        lambda side, part: f'{side[0]}_{part}',
        lambda side, part: f'{part}.{side[0].upper()}',
        lambda side, part: f'{part} ({side[0]})',
        lambda side, part: f'{side[0]}{part}'.upper(),
    ],
)
def test_a_joint_is_known_by_any_spelling(spell):
    joints = get_layout('coco').joints
    names = [spell(*joint.split()) if ' ' in joint else joint for joint in joints]
    assert match(names[::-1], get_layout('coco')) == list(range(17))[::-1]


@pytest.mark.parametrize(
    ('names', 'layout'),
    [
        (KINECT_V2, 'nturgb+d'),
        (AZURE_KINECT, 'azure_kinect'),
        (BODY_25, 'body_25'),
        (MEDIAPIPE, 'mediapipe'),
    ],
)
def test_the_trackers_own_names_are_those_of_the_layout(names, layout):
    assert match(names, get_layout(layout)) == list(range(len(names)))
    assert match(names[::-1], get_layout(layout)) == list(range(len(names)))[::-1]


def test_a_layout_of_fewer_joints_takes_its_own():
    names = BODY_25
    without = [name for name in names if 'Toe' not in name and 'Heel' not in name]
    without.remove('MidHip')
    found = match(names, get_layout('openpose'))
    assert [names[i] for i in found] == without


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
