"""NPY arrays: their axes."""

import numpy as np
import pytest
from helpers.own_files import FLAT, ROD, numbers, read

from hiclr_mmaction.converters.forms import check_axes_setting


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
        check_axes_setting(axes)
