"""Arrays that stay in the file they were read from, instead of in memory."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

_MIN_BYTES = 4096  # smaller arrays are not worth a place
_SEARCHED_BYTES = 64 * 2**20  # past the array before: names of splits lie between
_KEPT_BYTES = 16 * 2**20


class PageBudget:
    """Gives the pages of a memory map back after each so many bytes of reading.

    Without it each process would come to hold the whole file. The system keeps the
    pages for all of them as long as there is memory to spare.

    Args:
        buffer (mmap.mmap): The map.
    """

    def __init__(self, buffer: mmap.mmap) -> None:
        self._buffer = buffer
        self._num_bytes = 0

    def spend(self, num_bytes: int) -> None:
        """Count what was read."""
        self._num_bytes += num_bytes
        if self._num_bytes >= _KEPT_BYTES:
            self._num_bytes = 0
            if hasattr(mmap, 'MADV_DONTNEED'):  # not on Windows
                self._buffer.madvise(mmap.MADV_DONTNEED)


class MappedArray(np.ndarray):
    """An array in a memory-mapped file, whose pickle is its place there.

    Unpickled it is a plain array of its own. What is computed from one is in memory.
    """

    place: tuple | None

    def __array_finalize__(self, obj: Any) -> None:
        self.place = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.place is None:
            return np.asarray(self).__reduce_ex__(protocol)
        return _read_place, self.place

    # A copy is in memory, so it is a plain array.
    def __deepcopy__(self, memo: Any) -> np.ndarray:  # type: ignore[override]
        return np.array(self)


class _File:
    """A file of the size and time that it had when its arrays were found."""

    def __init__(self, path: str, size: int, mtime_ns: int) -> None:
        with open(path, 'rb') as file:
            stat = os.fstat(file.fileno())
            if (stat.st_size, stat.st_mtime_ns) != (size, mtime_ns):
                raise ValueError(
                    f'{path} was changed while it was in use; start the program again.'
                )
            self.buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.budget = PageBudget(self.buffer)

    def view(self, offset: int, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        count = int(np.prod(shape))
        return np.frombuffer(self.buffer, dtype, count, offset).reshape(shape)


_open = lru_cache(maxsize=8)(_File)


def _read_place(
    path: str, size: int, mtime_ns: int, offset: int, dtype: str, shape: tuple[int, ...]
) -> np.ndarray:
    file = _open(path, size, mtime_ns)
    array = file.view(offset, dtype, shape).copy()
    file.budget.spend(array.nbytes)
    return array


def leave_in_file(samples: Iterable[dict[str, Any]], path: str | Path) -> None:
    """Replace the arrays of samples by views of the file that they were read from.

    An array is looked for by its bytes, so that a view is never another array. Those
    that are not found behind the one before stay in memory: of pickles of protocol 2
    and older, which write bytes as text, and arrays in Fortran order.

    Args:
        samples (Iterable[dict]): Of a pickle, in the order of the file; changed in
            place.
        path (str | Path): The file. As long as the arrays are used it may be replaced
            by another, but not be written to.

    Raises:
        OSError: If it cannot be mapped.
    """
    path = os.path.abspath(path)
    stat = os.stat(path)
    key = (path, stat.st_size, stat.st_mtime_ns)
    file = _open(*key)
    end = 0
    for sample in samples:
        for name, array in sample.items():
            if not _is_worth_it(array):
                continue
            stop = end + array.nbytes + _SEARCHED_BYTES
            offset = file.buffer.find(array, end, stop)
            if offset < 0:
                return
            end = offset + array.nbytes
            view = file.view(offset, array.dtype.str, array.shape).view(MappedArray)
            view.place = (*key, offset, array.dtype.str, array.shape)
            sample[name] = view
            file.budget.spend(array.nbytes)


def _is_worth_it(value: Any) -> bool:
    return (
        type(value) is np.ndarray
        and value.dtype.kind in 'biuf'
        and value.nbytes >= _MIN_BYTES
        and value.flags.c_contiguous
    )
