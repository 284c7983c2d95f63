"""Arrays of MATLAB files, as scipy writes them."""

import numpy as np
import pytest
import scipy.io

from hiclr_mmaction.converters.matlab import read_matrix

ARRAYS = dict(
    d=np.random.default_rng(0).normal(size=(20, 3, 5)),
    f=np.ones((2, 3), np.float32),
    small=np.array([[1, 2]], np.uint8),
    whole=np.arange(6, dtype=np.int32).reshape(1, 6),
)


@pytest.mark.parametrize('compressed', [False, True])
@pytest.mark.parametrize('name', ARRAYS)
def test_arrays_are_those_that_were_written(tmp_path, name, compressed):
    path = tmp_path / 'a.mat'
    others = dict(text='hello', cells=np.array([[1], ['a']], object))
    scipy.io.savemat(path, dict(others, **ARRAYS), do_compression=compressed)
    array = read_matrix(path.read_bytes(), name)
    np.testing.assert_array_equal(array, ARRAYS[name])


def test_other_variable_and_other_file_are_told_apart(tmp_path):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, ARRAYS)
    with pytest.raises(KeyError, match='skel'):
        read_matrix(path.read_bytes(), 'skel')
    with pytest.raises(ValueError, match='head is not that of version 5'):
        read_matrix(b'nothing', 'd')
    with pytest.raises(ValueError, match='truncated|damaged'):
        read_matrix(path.read_bytes()[:-20], 'whole')
