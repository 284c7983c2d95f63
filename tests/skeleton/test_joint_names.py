"""Which joint of a body a name means."""

import pytest

from hiclr_mmaction.skeleton import get_layout
from hiclr_mmaction.skeleton.joint_names import find_joint, index_joints, side_and_part


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('LeftForeArm', ('left', 'forearm')),
        ('mixamorig:RightUpLeg', ('right', 'upleg')),
        ('l_hand', ('left', 'hand')),
        ('Hand_R', ('right', 'hand')),
        ('lShldr', ('left', 'shldr')),
        ('upperarm.L', ('left', 'upperarm')),
        *(
            (name, ('left', 'shoulder'))
            for name in (
                'Lshoulder',
                'LShoulder',
                'l_shoulder',
                'shoulder_L',
                'Left Shoulder',
                'lshoulder',
                'LSHOULDER',
                'shoulderL',
                'SHOULDER_LEFT',
                'shoulder-l',
                'L.Shoulder',
                'Shoulder (L)',
                'leftshoulder',
                'rig:lShoulder',
            )
        ),
        ('REar', ('right', 'ear')),
        ('rankle', ('right', 'ankle')),
        ('Collar', ('', 'collar')),
        ('L5', ('', 'l5')),
        ('heel', ('', 'heel')),
        ('Spine1', ('', 'spine1')),
        ('Leg', ('', 'leg')),
        ('LowerBack', ('', 'lowerback')),
        ('ROOT', ('', 'root')),
        ('LeftToeBase end', ('left', 'toebaseend')),
    ],
)
def test_names_tell_side_and_part(name, expected):
    assert side_and_part(name) == expected


@pytest.mark.parametrize('name', ['nturgb+d', 'kinect20', 'mediapipe'])
def test_parts_of_the_known_layouts_are_found(name):
    layout = get_layout(name)
    index = index_joints(layout.joints)
    for side, shoulder in zip(('right', 'left'), layout.shoulders, strict=True):
        assert find_joint(index, side, 'shoulder') == shoulder
        for part in ('hip', 'knee', 'ankle'):
            assert layout.joints[find_joint(index, side, part)] == f'{side} {part}'
        assert 'foot' in layout.joints[find_joint(index, side, 'foot')]


def test_part_that_no_joint_is_called_is_none():
    assert find_joint(index_joints(get_layout('coco').joints), '', 'head') is None
