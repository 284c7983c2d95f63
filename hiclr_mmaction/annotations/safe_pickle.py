"""Read pickles of plain data without running code.

A pickle is a program: ``pickle.load`` runs any code in it. Data sets need numpy arrays and
containers, so only these are read here, in time and memory proportional to the file.
"""

from __future__ import annotations

import math
import os
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

# Booleans, numbers and texts; no objects and no records.
_DTYPE = re.compile(r'[|<>=]?[biufcSU?]\d*')
# Protocols below 3 use Python 2's name; numpy 1 and numpy 2 name their parts differently.
_MODULES = {
    '__builtin__': 'builtins',
    'numpy.core.multiarray': 'numpy._core.multiarray',
    'numpy.core.numeric': 'numpy._core.numeric',
}
# Copies that a pickle may make of its own parts, beyond the size of the file.
_SPARE_BYTES = 64 * 2**20


class ForbiddenGlobal(pickle.UnpicklingError):
    """A pickle asks for something that is neither an array nor a container."""


class _Function:
    """A function that a pickle may only call."""

    __slots__ = ('_call',)

    def __init__(self, call: Callable) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)


# The C code of `pickle.Unpickler` does not limit memory and time: ten bytes with a large
# memo index make it allocate 32 GB, and hashing shared tuples nested 40 deep, written in
# a hundred bytes, takes a century. The Python class takes 0.9 s more for 10,000 clips of
# NTU RGB+D's size.
_PurePython: Any = pickle._Unpickler  # type: ignore[attr-defined]


class SafeUnpickler(_PurePython):
    """Unpickler that allows only arrays of numbers and text, and plain containers.

    Text of Python 2 is read as Latin-1, as the released label files need.

    Args:
        file (BinaryIO): A file that can seek, where a pickle begins.

    Raises:
        ForbiddenGlobal: If the pickle asks for anything else; nothing has run.
        pickle.UnpicklingError: If it takes memory out of proportion to the file.
    """

    dispatch = dict(_PurePython.dispatch)

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding='latin1')
        here = file.tell()
        self._size = file.seek(0, os.SEEK_END) - here
        file.seek(here)
        self._left = 2 * self._size + _SPARE_BYTES
        functions: dict[str, Callable] = {
            'builtins.bytearray': self._bytearray,
            'builtins.bytes': _bytes,
            'builtins.complex': complex,
            'builtins.dict': lambda items=None: self._copy(dict, items or {}),
            'builtins.frozenset': lambda items=(): self._set(frozenset, items),
            'builtins.list': lambda items=(): self._copy(list, items),
            'builtins.set': lambda items=(): self._set(set, items),
            '_codecs.encode': self._encode,
            'numpy.dtype': _dtype,
            'numpy.ndarray': _named_alone,
            'numpy._core.multiarray._reconstruct': lambda *_: np.empty(0),
            'numpy._core.multiarray.scalar': self._scalar,
            'numpy._core.numeric._frombuffer': self._from_buffer,
        }
        self._functions = {k: _Function(call) for k, call in functions.items()}

    def find_class(self, module: str, name: str) -> Any:
        """Give one of the admitted functions."""
        full = f'{_MODULES.get(module, module)}.{name}'
        if full not in self._functions:
            raise ForbiddenGlobal(f'{module}.{name}')
        return self._functions[full]

    def _spend(self, num_bytes: int) -> None:
        """Count memory before it is taken."""
        self._left -= num_bytes
        if self._left < 0:
            raise pickle.UnpicklingError(
                f'it takes far more memory than its {self._size:,} bytes'
            )

    # What pickles call

    def _bytearray(self, data: Any = b'', encoding: str = '') -> bytearray:
        if isinstance(data, str):
            data = self._encode(data, encoding)
        self._spend(len(_bytes(data)))
        return bytearray(data)

    def _encode(self, text: str, encoding: str) -> bytes:
        # How protocol 2 holds bytes; other codecs are programs of their own.
        if encoding not in ('latin1', 'latin-1'):
            raise ForbiddenGlobal(f'_codecs.encode to {encoding!r:.40}')
        self._spend(len(text))
        return text.encode('latin1')

    def _set(self, kind: type, items: Any) -> Any:
        if not isinstance(items, list | tuple):
            raise pickle.UnpicklingError(f'a set of a {type(items).__name__}')
        self._spend(100 * len(items))
        return kind(map(_checked_key, items))

    def _copy(self, kind: type, items: Any) -> Any:
        if not isinstance(items, dict if kind is dict else list | tuple):
            raise pickle.UnpicklingError(
                f'a {kind.__name__} of a {type(items).__name__}'
            )
        self._spend(100 * len(items))
        return kind(items)

    def _scalar(self, dtype: np.dtype, data: Any = b'') -> Any:
        if isinstance(data, str):  # of Python 2
            data = data.encode('latin1')
        _check_array(data, dtype, (1,))
        return np.frombuffer(data, dtype)[0]

    def _from_buffer(
        self, data: Any, dtype: np.dtype, shape: tuple, order: Any
    ) -> np.ndarray:
        _check_array(data, dtype, shape)
        if isinstance(data, bytes):  # an array over bytes would be read-only
            self._spend(len(data))
            data = bytearray(data)
        order = 'F' if order == 'F' else 'C'
        if not data:
            return np.empty(shape, dtype, order)
        return np.frombuffer(data, dtype).reshape(shape, order=order)

    # Opcodes that are allowed only in part

    def _load_build(self) -> None:
        state = self.stack.pop()
        made: Any = self.stack[-1]
        kind = type(made)
        if kind is np.ndarray:
            _, shape, dtype, fortran, data = state
            if isinstance(data, str):  # of Python 2
                self._spend(len(data))
                data = data.encode('latin1')
            _check_array(data, dtype, shape)
            self._spend(len(data))
            made.__setstate__((1, shape, dtype, bool(fortran), data))
        elif issubclass(kind, np.dtype):
            order, *record = state[1:5]
            if order not in ('<', '>', '|', '=') or any(r is not None for r in record):
                raise ForbiddenGlobal('numpy.dtype of a record')
            sizes = (made.itemsize, made.alignment) if made.kind in 'SU' else (-1, -1)
            made.__setstate__((3, order, None, None, None, *sizes, 0))
        else:
            raise pickle.UnpicklingError(f'it changes a {kind.__name__}')

    def _load_setitem(self) -> None:
        _checked_key(self.stack[-2])
        _check_kind(self.stack[-3], dict)
        super().load_setitem()

    def _load_setitems(self) -> None:
        for key in self.stack[::2]:
            _checked_key(key)
        _check_kind(self.metastack[-1][-1], dict)
        super().load_setitems()

    def _load_dict(self) -> None:
        for key in self.stack[::2]:
            _checked_key(key)
        super().load_dict()

    def _load_additems(self) -> None:
        for key in self.stack:
            _checked_key(key)
        _check_kind(self.metastack[-1][-1], set)
        super().load_additems()

    def _load_frozenset(self) -> None:
        for key in self.stack:
            _checked_key(key)
        super().load_frozenset()

    def _load_append(self) -> None:
        _check_kind(self.stack[-2], list)
        super().load_append()

    def _load_appends(self) -> None:
        _check_kind(self.metastack[-1][-1], list)
        super().load_appends()

    def _load_bytearray8(self) -> None:
        (size,) = struct.unpack('<Q', self.read(8))
        if size > self._size:
            raise pickle.UnpicklingError('pickle data was truncated')
        data = bytearray(size)
        self.readinto(data)
        self.append(data)

    dispatch[pickle.BUILD[0]] = _load_build
    dispatch[pickle.SETITEM[0]] = _load_setitem
    dispatch[pickle.SETITEMS[0]] = _load_setitems
    dispatch[pickle.DICT[0]] = _load_dict
    dispatch[pickle.ADDITEMS[0]] = _load_additems
    dispatch[pickle.FROZENSET[0]] = _load_frozenset
    dispatch[pickle.APPEND[0]] = _load_append
    dispatch[pickle.APPENDS[0]] = _load_appends
    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray8


def _hint(asked: str) -> str:
    """The remedy for a file that refers to something forbidden."""
    if asked.startswith('torch.'):
        return 'Store NumPy arrays in place of tensors (tensor.numpy())'
    if asked.startswith("numpy.dtype('O"):
        return 'Store one array of numbers for each clip, not arrays of objects'
    if asked.startswith('pandas.'):
        return 'Store NumPy arrays in place of tables (frame.to_numpy())'
    return 'Get the file from its authors again'


def _named_alone(*_: Any) -> None:
    raise ForbiddenGlobal('a call of numpy.ndarray')


def _bytes(data: Any = b'') -> bytes:
    # A number would be a length, to be filled with zeros.
    if not isinstance(data, bytes):
        raise pickle.UnpicklingError(f'bytes of a {type(data).__name__}')
    return data


def _dtype(spec: Any, *_: Any) -> np.dtype:
    if not (isinstance(spec, str) and _DTYPE.fullmatch(spec)):
        raise ForbiddenGlobal(f'numpy.dtype({spec!r:.40})')
    # A copy, for its byte order may be set.
    return np.dtype(spec, False, True)  # type: ignore[call-overload]


def _check_array(data: Any, dtype: Any, shape: Any) -> None:
    """Check that an array has the bytes that its shape needs."""
    if not (
        isinstance(data, bytes | bytearray)
        and isinstance(dtype, np.dtype)
        and isinstance(shape, tuple)
        and all(type(size) is int and size >= 0 for size in shape)
    ):
        raise pickle.UnpicklingError('an array without array data')
    needed = math.prod(shape) * dtype.itemsize
    if needed != len(data) or (not needed and 0 not in shape):
        raise pickle.UnpicklingError(
            f'an array of shape {shape} and {dtype} in {len(data)} bytes'
        )


def _check_kind(value: Any, kind: type) -> None:
    if type(value) is not kind:
        raise pickle.UnpicklingError(f'it fills a {type(value).__name__}')


def _checked_key(key: Any) -> Any:
    """Check that the hash of a key of a dict or set is found in little time."""
    if type(key) in (str, bytes):  # which keep their hash
        return key
    parts, count = [key], 0
    while parts:
        part = parts.pop()
        count += len(part) if isinstance(part, tuple) else 1
        if count > 100 or (isinstance(part, int) and part.bit_length() > 60):
            raise pickle.UnpicklingError('a key of a dict or set is too large')
        parts += part if isinstance(part, tuple) else ()
    return key


def load_pickle(
    path: str | Path,
    remedy: str = '',
    unpickler: type[SafeUnpickler] = SafeUnpickler,
) -> Any:
    """Read a pickle of arrays and plain containers.

    Args:
        path (str | Path): The file.
        remedy (str): Added to the message: what to do with a refused file that the user
            trusts.
        unpickler (type): Reads the file; a subclass may allow more.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file would run code, is truncated, or is not a pickle.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f'{path} is not a file; name a pose pickle.')
    with open(path, 'rb') as file:
        try:
            return unpickler(file).load()
        except ForbiddenGlobal as error:
            raise ValueError(
                f'{path} is not read: it asks for {error}, which is neither an array '
                'of numbers nor a plain container and could run code. Nothing of it was '
                f'run. {_hint(str(error))}{remedy}.'
            ) from None
        # A damaged pickle can fail anywhere in the unpickler.
        except Exception as error:
            cause = str(error)[:200] or type(error).__name__
            raise ValueError(
                f'{path} is truncated, damaged or not a pickle ({cause}); '
                'get or make it again.'
            ) from error
