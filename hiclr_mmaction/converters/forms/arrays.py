"""NPY arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np

from ...skeleton import SkeletonLayout
from .form import OTHER_ORDER, Form, Options, Recording
from .joints import looks_like

# More persons than these in one clip are probably frames or clips.
_MANY_PERSONS = 8
_AXES = dict(M='persons', T='frames', V='joints', C='coordinates')


def read_npy(path: Path, options: Options) -> Recording:
    """Read ``(T, V, C)`` or ``(M, T, V, C)``, or what ``options.axes`` says.

    Raises:
        ValueError: If it is not an array of numbers, or its axes seem to be others.
    """
    try:
        # Mapped: a header that promises more than the file holds takes no memory.
        array = np.load(path, mmap_mode='r', allow_pickle=False)
    # Its header is Python's text: whatever its parsers raise means the same.
    except Exception as error:
        raise ValueError(f'not an array: {error}') from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in 'fiu':
        raise ValueError('not an array: it does not hold numbers')
    notes = []
    if options.axes is None and array.ndim == 5 and array.shape[1:3] == (1, 1):
        array = array[:, 0, 0]  # as MoveNet gives it for each frame
        if options.channels is None and options.layout.coordinates == '2d':
            options = replace(options, channels='yxs')
            notes.append('y, x, score of each joint, as of MoveNet; see --channels')
    axes = options.axes or {3: 'TVC', 4: 'MTVC'}.get(array.ndim, '')
    if len(axes) != array.ndim:
        raise ValueError(
            f'wrong shape: {array.shape}, not {_tell(axes) or "(T, V, C) or (M, T, V, C)"}'
        )
    if options.axes is None:
        _check_axes(array.shape, axes, options.layout)
    if 'M' not in axes:
        array, axes = array[None], f'M{axes}'
    values = array.transpose([axes.index(axis) for axis in 'MTVC'])
    named = options.name_channels(values.shape[-1])
    out = np.full((*values.shape[:3], 4), np.nan)
    out[..., ['xyzs'.index(axis) for axis in named]] = values
    if out.shape[2] != options.layout.num_joints:
        raise ValueError(
            f'wrong joint count: {out.shape[2]} joints, but layout '
            f'{options.layout.name!r} has {options.layout.num_joints}; set the layout that '
            'the data were made with, or --axes'
        )
    if not looks_like(out, options.layout):
        notes.append(OTHER_ORDER)
    return Recording(out, notes=notes)


def _fits(shape: Sequence[int], axes: str, layout: SkeletonLayout) -> bool:
    size = dict(zip(axes, shape, strict=True))
    channels = (2, 3, 4) if layout.coordinates == '2d' else (3, 4)
    persons = size.get('M', 1)
    return (
        size['V'] == layout.num_joints
        and size['C'] in channels
        and persons <= _MANY_PERSONS
        and persons <= size['T']
    )


def _check_axes(shape: Sequence[int], axes: str, layout: SkeletonLayout) -> None:
    if 0 in shape or _fits(shape, axes, layout):
        return
    others = [
        ''.join(other)
        for other in permutations(axes)
        if _fits(shape, ''.join(other), layout)
    ]
    size = dict(zip(axes, shape, strict=True))
    if others:
        raise ValueError(
            f'wrong axes: {tuple(shape)} as {_tell(axes)} is {_meaning(size)}; it may be '
            f'{_tell(others[0])}: then say --axes {others[0]}'
        )
    if size['V'] == layout.num_joints and size.get('M', 1) > min(
        _MANY_PERSONS, size['T']
    ):
        raise ValueError(
            f'wrong axes: {tuple(shape)} as {_tell(axes)} is {_meaning(size)}; if the '
            f'first axis is clips, write one file per clip, or else say --axes {axes}'
        )


def _meaning(size: dict[str, int]) -> str:
    return ', '.join(f'{count} {_AXES[axis]}' for axis, count in size.items())


def _tell(axes: str) -> str:
    return f'({", ".join(axes)})' if axes else ''


ARRAY_FORM = Form(
    'array',
    'NPY',
    '`(T, V, C)` or `(M, T, V, C)`, `--axes` names others; '
    "MoveNet's `(T, 1, 1, 17, 3)`",
    'np.save("clip.npy", keypoint)  # (frames, joints, coordinates)',
    'kinect20',
    lambda path: path.suffix == '.npy',
    read_npy,
)
