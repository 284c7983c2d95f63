"""Arrays of MATLAB files.

``scipy.io.loadmat`` (1.17) can crash the process on damaged files. This module reads arrays
of numbers in files of version 5, following the published format (MAT-File Format,
MathWorks).
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np

_NUMBERS = {
    1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8',
    13: 'u8',
}  # fmt: skip
_MATRIX, _COMPRESSED = 14, 15
_MAX_BYTES = 256 * 2**20  # of a decompressed array


def read_matrix(data: bytes, name: str) -> np.ndarray:
    """An array of numbers by its name.

    Args:
        data (bytes): The file.
        name (str): The variable.

    Raises:
        KeyError: If there is no such variable.
        ValueError: If it is not a MATLAB file of version 5, or damaged.
    """
    if len(data) < 128 or data[126:128] not in (b'IM', b'MI'):
        raise ValueError('its head is not that of version 5')
    order = '<' if data[126:128] == b'IM' else '>'
    try:
        for kind, content in _elements(data[128:], order):
            if kind == _COMPRESSED:
                content = zlib.decompressobj().decompress(content, _MAX_BYTES)
                kind, content = next(_elements(content, order))
            if kind == _MATRIX:
                found, array = _matrix(content, order)
                if found == name:
                    return array
    except (struct.error, zlib.error, StopIteration, KeyError) as error:
        raise ValueError(f'an element is damaged ({error})') from error
    raise KeyError(name)


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Types and contents of data elements, one after the other."""
    start = 0
    while start < len(data):
        kind, size = struct.unpack_from(f'{order}II', data, start)
        start += 8
        if kind >> 16:  # a small element: its content is in the tag
            kind, size, start = kind & 0xFFFF, kind >> 16, start - 4
        stop = start + size
        if stop > len(data):
            raise ValueError('an element is truncated')
        yield kind, data[start:stop]
        # Padded to 8 bytes, a small one to the end of its tag.
        start = stop if kind == _COMPRESSED else -(-stop // 8) * 8


def _matrix(content: bytes, order: str) -> tuple[str, np.ndarray]:
    elements = _elements(content, order)
    next(elements)  # flags
    _, sizes = next(elements)
    _, name = next(elements)
    if len(sizes) % 4:
        raise ValueError('an element is damaged (the size of an array)')
    shape = struct.unpack(f'{order}{len(sizes) // 4}i', sizes)
    found = name.decode('latin1')
    kind, numbers = next(elements)
    if kind not in _NUMBERS:
        return found, np.empty(0)  # text, cells, ...
    dtype = np.dtype(order + _NUMBERS[kind])
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError(f'{found}: {len(numbers)} bytes do not fill an array {shape}')
    return found, np.frombuffer(numbers, dtype).reshape(shape, order='F')
