"""Read pickles of plain data, and nothing that could run code.

A pickle is a program: reading one from elsewhere with ``pickle.load`` runs whatever
its author wants. What data sets need is numpy arrays and containers, so that is all
that is read here. Arrays are rebuilt by this module: numpy's own functions believe what
a pickle tells of an array's memory, so that a damaged one can crash the process.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

_CONTAINERS = {
    kind.__name__: kind
    for kind in (
        bool, bytearray, bytes, complex, dict, float, frozenset, int, list, set, str,
        tuple,
    )
}  # fmt: skip
# Booleans, numbers and texts; no objects and no records.
_DTYPE = re.compile(r'[|<>=]?[biufcSU?]\d*')


class ForbiddenGlobal(pickle.UnpicklingError):
    """A pickle asks for something that is neither an array nor a container."""


class _DType:
    """A dtype while it is read."""

    __slots__ = ('dtype',)
    __hash__ = None  # type: ignore[assignment]  # in no set and no key

    def __init__(self, spec: Any) -> None:
        if not (isinstance(spec, str) and _DTYPE.fullmatch(spec)):
            raise ForbiddenGlobal(f'numpy.dtype({spec!r})')
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: tuple) -> None:
        order, *record = state[1:5]
        if order not in ('<', '>', '|', '=') or any(
            part is not None for part in record
        ):
            raise ForbiddenGlobal(f'numpy.dtype of a record, {state!r}')
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array while it is read; ``value`` is the array."""

    __slots__ = ('value',)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.value: Any = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        if isinstance(data, str):  # of Python 2
            data = data.encode('latin1')
        # A copy, because an array over bytes is read-only.
        order: Literal['F', 'C'] = 'F' if fortran else 'C'
        self.value = _from_buffer(bytearray(data), dtype, shape, order)


def _from_buffer(
    data: Any, dtype: Any, shape: tuple, order: Literal['F', 'C']
) -> np.ndarray:
    if not data:
        return np.empty(shape, dtype.dtype, order)
    return np.frombuffer(data, dtype.dtype).reshape(shape, order=order)


class _Function:
    """What a pickle may call. It cannot set attributes on it, as on a function."""

    __slots__ = ()


class _MakeDType(_Function):
    __slots__ = ()

    def __call__(self, spec: Any, *_: Any) -> _DType:
        return _DType(spec)


class _MakeArray(_Function):
    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


class _FromBuffer(_Function):
    __slots__ = ()

    def __call__(self, data: Any, dtype: _DType, shape: Any, order: Any) -> np.ndarray:
        return _from_buffer(data, dtype, shape, 'F' if order == 'F' else 'C')


class _Scalar(_Function):
    __slots__ = ()

    def __call__(self, dtype: _DType, data: Any = b'') -> Any:
        if isinstance(data, str):
            data = data.encode('latin1')
        return np.frombuffer(data, dtype.dtype, count=1)[0]


class _Encode(_Function):
    """How pickles of protocol 2 hold bytes; other codecs are programs of their own."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != 'latin1':
            raise ForbiddenGlobal(f'_codecs.encode to {encoding!r}')
        return text.encode('latin1')


_NUMPY = {
    'numpy.ndarray': _Function(),  # named and not called
    'numpy.dtype': _MakeDType(),
    '_codecs.encode': _Encode(),
}
# numpy 1 and numpy 2 call the place differently.
for _place in ('numpy.core', 'numpy._core'):
    _NUMPY[f'{_place}.multiarray._reconstruct'] = _MakeArray()
    _NUMPY[f'{_place}.multiarray.scalar'] = _Scalar()
    _NUMPY[f'{_place}.numeric._frombuffer'] = _FromBuffer()


class SafeUnpickler(pickle.Unpickler):
    """Unpickler that admits arrays of numbers and texts and plain containers alone.

    Text of Python 2 is read as Latin-1, as the released label files need.

    Raises:
        ForbiddenGlobal: If the pickle asks for anything else; nothing has run.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding='latin1')

    def find_class(self, module: str, name: str) -> Any:
        """Give one of the admitted names."""
        # Protocols below 3 use the name of Python 2.
        if module in ('builtins', '__builtin__') and name in _CONTAINERS:
            return _CONTAINERS[name]
        full = f'{module}.{name}'
        if full not in _NUMPY:
            raise ForbiddenGlobal(full)
        return _NUMPY[full]

    def load(self) -> Any:
        """Read one pickle."""
        return _finish(super().load(), set())


_LEAVES = (str, int, float, type(None), bool, np.ndarray, bytes)


def _finish(value: Any, seen: set[int]) -> Any:
    """Put the arrays where they were being read; containers stay the same objects."""
    kind = type(value)
    if kind in _LEAVES:
        return value
    if kind is _Array:
        if value.value is None:
            raise pickle.UnpicklingError('an array without content')
        return value.value
    if kind is _DType:
        return value.dtype
    if kind is tuple:
        parts = [_finish(part, seen) for part in value]
        same = all(a is b for a, b in zip(parts, value, strict=True))
        return value if same else tuple(parts)
    if kind in (dict, list) and id(value) not in seen:
        seen.add(id(value))
        for key, part in list(value.items() if kind is dict else enumerate(value)):
            value[key] = _finish(part, seen)
    return value


def load_pickle(
    path: str | Path,
    remedy: str = '',
    unpickler: type[SafeUnpickler] = SafeUnpickler,
) -> Any:
    """Read a pickle of arrays and plain containers.

    Args:
        path (str | Path): The file.
        remedy (str): What to do with a file that is refused and yet trusted; goes
            into the message.
        unpickler (type): What reads it, for a kind that admits more.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file would run code, is truncated, or is no pickle.
    """
    with open(path, 'rb') as file:
        try:
            return unpickler(file).load()
        except ForbiddenGlobal as error:
            raise ValueError(
                f'{path} is not read: it asks for {error}, which is neither an array '
                'of numbers nor a plain container and could run code. Nothing of it was '
                f'run. Get the file from its authors again{remedy}.'
            ) from None
        # A damaged pickle can fail anywhere in the little machine that reads it.
        except Exception as error:
            raise ValueError(
                f'{path} is truncated, damaged or no pickle ({error}); '
                'get or make it again.'
            ) from error
