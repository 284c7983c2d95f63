"""Up axis and unit of coordinates, found by the persons."""

import numpy as np
import pytest
from helpers.skeletons import standing

from hiclr_mmaction.skeleton.orientation import (
    UPS,
    Orientation,
    body_height,
    find_scale,
    find_up,
    long_bones,
)

HEAD = 3


def turned(up):
    """A standing person in metres whose head is at `up`, by plain rotations."""
    x, y, z = standing().T
    axes = {
        'y': (x, y, z), '-y': (x, -y, -z), 'z': (x, -z, y), '-z': (x, z, -y),
        'x': (y, -x, z), '-x': (-y, x, z),
    }  # fmt: skip
    return np.stack(axes[up]).T


@pytest.mark.parametrize('scale', [1, 0.01, 0.001])
@pytest.mark.parametrize('up', UPS)
def test_person_is_brought_upright_in_metres(up, scale):
    clip = turned(up) / scale
    orientation = Orientation.find([clip], 'nturgb+d')
    assert orientation == Orientation(up, scale)
    np.testing.assert_allclose(orientation.apply(clip), standing(), atol=1e-9)


def test_posture_does_not_change_the_height():
    standing_height = body_height(standing()[0], 'nturgb+d')
    assert standing_height == pytest.approx(1.5, abs=0.1)
    seated = standing()[0]
    seated[:, 13:16] += [0, 0.4, -0.4]
    seated[:, 17:20] += [0, 0.4, -0.4]
    assert body_height(seated, 'nturgb+d') == pytest.approx(standing_height, abs=0.2)


def test_somebody_who_lies_for_a_while_does_not_turn_the_rest():
    lying = turned('x')[:, :2]
    assert Orientation.find([turned('y'), lying], 'nturgb+d').up == 'y'


def test_what_is_not_there_and_not_finite_is_not_counted():
    clip = np.concatenate([turned('z'), np.zeros((1, 5, 25, 3))])
    clip[0, 0, 3] = np.nan
    assert Orientation.find([clip], 'nturgb+d') == Orientation('z')


def test_what_is_known_is_not_searched():
    clip = turned('z') * 100
    assert Orientation.find([clip], 'nturgb+d', up='y').up == 'y'
    assert Orientation.find([clip], 'nturgb+d', scale=1).scale == 1


@pytest.mark.parametrize('clips', [[], [np.zeros((1, 4, 25, 3))]])
def test_without_persons_nothing_is_changed(clips):
    assert Orientation.find(clips, 'nturgb+d', unit=0.01) == Orientation('y', 0.01)


def test_layout_without_names_is_taken_as_it_is():
    layout = dict(num_joints=3, bones=[(1, 0), (2, 1)], center=0)
    clip = np.random.rand(1, 4, 3, 3) * 100
    assert Orientation.find([clip], layout) == Orientation()


def test_axis_that_does_not_stand_out_is_not_up():
    diagonal = np.zeros((4, 25, 3))
    diagonal[:, HEAD] = 1
    assert find_up(diagonal, 'nturgb+d') is None


@pytest.mark.parametrize(
    ('height', 'unit', 'scale'),
    [
        (1.7, 1, 1),
        (0.9, 1, 1),
        (170, 1, 0.01),
        (1700, 1, 0.001),
        (170, 0.01, 0.01),
        (1.7, 0.01, 1),
        (30, 0.01, 0.0254 / 0.45),
        (67, 1, 0.0254),
        (1e9, 1, 1),
        (None, 0.01, 0.01),
    ],
)
def test_scale_gives_a_height_of_a_person(height, unit, scale):
    assert find_scale(height, unit) == scale


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(up='w'), "up='w' is not one of y, -y"),
        (dict(scale=0), 'scale=0 is not above 0'),
        (dict(scale=float('nan')), 'scale=nan is not above 0'),
    ],
)
def test_setting_that_cannot_be_is_an_error(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Orientation(**kwargs)


class TestLongBones:
    def test_bones_of_a_person_are_not(self):
        assert long_bones(standing(), 'nturgb+d') == {}

    @pytest.mark.parametrize('far', [3, 30])
    def test_joint_that_is_metres_off_is_named_with_its_bone(self, far):
        clip = standing()
        clip[..., 22, 0] += far
        (bone,) = (found := long_bones(clip, 'nturgb+d'))
        assert bone == 'left hand - left thumb'
        assert found[bone] == pytest.approx(far, abs=0.3)

    def test_several_joints_in_another_unit_are_all_named(self):
        clip = standing()
        clip[..., [15, 19, 22, 24], :] *= 100
        assert len(long_bones(clip, 'nturgb+d')) == 4

    def test_layout_without_names_of_the_body_is_compared_by_its_other_bones(self):
        chain = dict(
            name='chain', num_joints=9, bones=[(v + 1, v) for v in range(8)], center=0
        )
        clip = np.arange(1.0, 10.0)[:, None] * np.ones(3) * np.ones((1, 4, 1, 1))
        assert long_bones(clip, chain) == {}
        clip[..., 8, :] += 20
        assert list(long_bones(clip, chain)) == ['7 - 8']

    def test_lost_joints_are_not_bones(self):
        clip = standing() + 50
        clip[:, 1:, 7] = 0
        assert long_bones(clip, 'nturgb+d') == {}
