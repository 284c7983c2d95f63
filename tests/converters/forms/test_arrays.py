"""NPY arrays: their axes."""

import numpy as np
import pytest
import torch
from helpers.own_files import FLAT, ROD, numbers, read
from helpers.skeletons import coco_annotations, standing

from hiclr_mmaction.converters.forms import Options
from hiclr_mmaction.converters.forms.form import OTHER_ORDER
from hiclr_mmaction.skeleton import get_layout
from hiclr_mmaction.skeleton.mapping import map_joints


@pytest.fixture
def load(tmp_path):
    """Save an array and read it."""

    def load(array, layout=ROD, **options):
        path = tmp_path / 'a.npy'
        np.save(path, array)
        return read(path, layout, **options)

    return load


def test_with_and_without_persons(load):
    x = numbers(persons=2)
    np.testing.assert_array_equal(load(x)['keypoint'], x)
    np.testing.assert_array_equal(load(x[0])['keypoint'], x[:1])


@pytest.mark.parametrize(('layout', 'axes'), [(ROD, [0, 1, 2]), (FLAT, [0, 1, 3])])
def test_four_numbers_are_a_place_and_a_score(load, layout, axes):
    x = numbers(channels=4)
    np.testing.assert_array_equal(load(x, layout)['keypoint'], x[..., axes])


def test_parts_of_the_picture_become_pixels(load):
    x = numbers(channels=4)
    out = load(x, FLAT, image_size=(640, 480))['keypoint']
    np.testing.assert_allclose(out, x[..., [0, 1, 3]] * [640, 480, 1])


def test_persons_with_the_most_score_are_kept_and_the_others_told(load):
    x = numbers(persons=3, channels=4)
    x[0, ..., 3] = 0.1
    out = load(x, FLAT)
    np.testing.assert_array_equal(out['keypoint'], x[1:, ..., [0, 1, 3]])
    assert 'more than 2 persons; see --persons' in out['notes']


def test_nan_is_missing(load):
    x = numbers()
    x[0, 1, 1] = np.nan
    out = load(x)
    assert (out['keypoint'][0, 1, 1] == 0).all()
    assert out['notes'] == ['missing joints']


@pytest.mark.parametrize('axes', ['TMVC', 'CTVM', 'MCTV', 'TCV'])
def test_other_axes_are_refused_with_the_setting_that_reads_them(load, axes):
    x = numbers(persons=2, frames=30, joints=20)
    letters = 'MTVC' if 'M' in axes else 'TVC'
    array = (x if 'M' in axes else x[0]).transpose([letters.index(a) for a in axes])
    with pytest.raises(ValueError, match=f'wrong axes: .* then say --axes {axes}'):
        load(array, 'kinect20')
    expected = x if 'M' in axes else x[:1]
    out = load(array, 'kinect20', axes=axes)['keypoint']
    np.testing.assert_array_equal(out, expected)


def test_clips_are_not_persons(load):
    array = numbers(persons=40, frames=30, joints=20)
    with pytest.raises(ValueError, match='is 40 persons, 30 frames.*one file per clip'):
        load(array, 'kinect20')
    out = load(array, 'kinect20', axes='MTVC', num_person=40)
    np.testing.assert_array_equal(out['keypoint'], array)


@pytest.mark.parametrize(
    ('array', 'message'),
    [
        (np.ones(5), 'wrong shape'),
        (np.ones((30, 150)), r'wrong shape: \(30, 150\), not \(T, V, C\)'),
        (np.ones((30, 3, 2)), 'wrong number of coordinates: 2'),
        (np.ones((30, 7, 3)), 'wrong joint count: 7 joints'),
        (np.array([{}], dtype=object), 'not an array'),
        (np.array(['a']), 'not an array'),
        (np.ones((0, 3, 3)), 'no person'),
    ],
)
def test_what_is_no_clip_is_refused(load, array, message):
    with pytest.raises(ValueError, match=message):
        load(array)


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path):
    path = tmp_path / 'a.npy'
    np.save(path, np.ones((1, 3, 3)))
    data = path.read_bytes().replace(b'(1, 3, 3)', b'(99999999, 3, 3)')
    path.write_bytes(data.replace(b'     ' * 2, b'   ', 1))
    with pytest.raises(ValueError, match='not an array'):
        read(path)


@pytest.mark.parametrize('axes', ['TV', 'NTVC', 'TVCC', 'tvc'])
def test_axes_that_are_none_are_refused(axes):
    with pytest.raises(ValueError, match=f"axes='{axes}' is not an order"):
        Options(get_layout('coco'), axes=axes)


@pytest.mark.parametrize(
    ('layout', 'channels'),
    [('coco', 'x'), ('coco', 'yys'), ('coco', 'yxt'), ('kinect20', 'yxs')],
)
def test_channels_that_are_none_are_refused(layout, channels):
    with pytest.raises(ValueError, match=f"channels='{channels}' is not an order"):
        Options(get_layout(layout), channels=channels)


class TestMoveNet:
    """Its numbers are y, x, score of COCO's joints, as parts of the picture."""

    @pytest.fixture
    def person(self):
        """A person in a picture, ``(T, 17, 3)``."""
        return coco_annotations()['annotations'][0]['keypoint'][0] / [640, 480]

    def test_its_output_is_known_by_its_shape(self, load, person):
        y_x_score = np.concatenate([person[..., ::-1], person[..., :1] * 0 + 0.5], -1)
        out = load(y_x_score[:, None, None], 'coco', image_size=(640, 480))
        np.testing.assert_allclose(out['keypoint'][0, ..., :2], person * [640, 480])
        assert (out['keypoint'][..., 2] == 0.5).all()
        assert out['notes'] == [
            'y, x, score of each joint, as of MoveNet; see --channels'
        ]

    def test_channels_say_it_of_other_shapes(self, load, person):
        y_x = person[..., ::-1]
        out = load(y_x, 'coco', channels='yx')['keypoint']
        np.testing.assert_allclose(out[0, ..., :2], person)
        with pytest.raises(ValueError, match='2 a joint, for --channels yxs'):
            load(y_x, 'coco', channels='yxs')


@pytest.mark.parametrize('layout', ['kinect20', 'h36m', 'mediapipe', 'coco'])
def test_joints_in_another_order_are_noted(load, layout):
    joints = get_layout(layout).num_joints
    x = map_joints(torch.from_numpy(standing(20)), 'nturgb+d', layout).numpy()
    notes = load(x, layout)['notes']
    shuffled = x[:, :, np.random.default_rng(0).permutation(joints)]
    assert {*load(shuffled, layout)['notes']} - {*notes} == {OTHER_ORDER}
