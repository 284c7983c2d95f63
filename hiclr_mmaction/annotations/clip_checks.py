"""Checks of clips, with messages that name the clip and the remedy.

Used by the data set before training and by ``tools/data/inspect.py``.
"""

from __future__ import annotations

import operator
import re
import reprlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..skeleton import LAYOUTS, SkeletonLayout

# Detectors go a little beyond 1.
MAX_SCORE = 1.5
# Squares of larger coordinates would overflow in an encoder.
MAX_COORDINATE = 1e9


class UnusableClip(ValueError):
    """A clip that cannot be used.

    Args:
        kind (str): The problem in a few words, the same for all clips.
        message (str): The problem of this clip, and the remedy.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def short(value: Any) -> str:
    """A value as a short text."""
    try:
        return reprlib.repr(value)
    except ValueError:  # a number of thousands of digits
        return f'{type(value).__name__} of many digits'


def sample_name(sample: Mapping[str, Any]) -> str:
    """The name of a sample in messages: its ``frame_dir`` or ``filename``."""
    name = sample.get('frame_dir') or sample.get('filename') or '(unnamed)'
    return name if isinstance(name, str) else short(name)


def split_name(sample: Mapping[str, Any]) -> str | None:
    """The name of a sample in splits, as in MMAction2. None: it has no name."""
    name = sample.get('filename', sample.get('frame_dir'))
    return name if isinstance(name, str) else None


def counterparts(splits: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Training splits, each with the other splits of its protocol."""
    protocols: dict[tuple[str, str], dict[str, str]] = {}
    for name in splits:
        if match := re.fullmatch(r'(.*?)(train|val|test)(\d*)', name):
            before, part, after = match.groups()
            protocols.setdefault((before, after), {})[part] = name
    return [
        (parts['train'], parts[other])
        for parts in protocols.values()
        for other in ('val', 'test')
        if 'train' in parts and other in parts
    ]


def split_overlaps(
    splits: Mapping[str, Sequence[str]],
) -> Iterator[tuple[tuple[str, str], str]]:
    """Training splits that share clips with other splits of their protocol.

    Yields:
        tuple: The names of both splits, and a sentence.
    """
    for train, other in counterparts(splits):
        shared = sorted(set(splits[train]) & set(splits[other]), key=str)
        if shared:
            yield (
                (train, other),
                f'splits {train!r} and {other!r} share {len(shared)} clips, such as '
                f'{shared[0]!r}, so training clips would be evaluated; remove them from '
                'one.',
            )


def sample_label(sample: Mapping[str, Any]) -> int | None:
    """The label of a sample; None where it is missing, None or -1.

    Raises:
        UnusableClip: If it is not an integer, or below -1.
    """
    label = sample.get('label')
    if label is None:
        return None
    try:
        if isinstance(label, bool | np.bool_):
            raise TypeError
        value = operator.index(label)
    except TypeError:
        raise UnusableClip(
            'label is not an integer',
            f'clip {sample_name(sample)!r}: label={short(label)} is not an '
            'integer; store the number of the class, 0 and above, and the names of the '
            'classes in the file as classes=[...].',
        ) from None
    if value == -1:
        return None
    if not 0 <= value < 10**6:
        raise UnusableClip(
            'label out of range',
            f'clip {sample_name(sample)!r}: label={short(value)}; labels are 0 '
            'and above, below a million. Leave the label out where there is none, or write '
            '-1.',
        )
    return value


def clip_problems(
    clip: Mapping[str, Any],
    layout: SkeletonLayout | None,
    position: int,
    classes: Sequence[str] | None = None,
) -> Iterator[UnusableClip]:
    """Find what makes a clip of a pose pickle unusable.

    Args:
        clip (dict): Its annotation.
        layout (SkeletonLayout, optional): Its skeleton. None: unknown;
            only the axes are checked.
        position (int): Index in the file, for messages about a clip without a name.
        classes (Sequence[str], optional): Names of the labels.
    """
    if split_name(clip) is None:
        yield UnusableClip(
            'clip without a name',
            f'clip number {position} (from 0) has no frame_dir that is a text; give each '
            'clip a name that no other has.',
        )
        clip = dict(clip, frame_dir=f'number {position}')
    name = sample_name(clip)
    try:
        label = sample_label(clip)
        if label is not None and classes and label >= len(classes):
            yield UnusableClip(
                'label out of range',
                f'clip {name!r}: label={label}, but the file names {len(classes)} '
                f'classes, 0 to {len(classes) - 1}.',
            )
    except UnusableClip as error:
        yield error
    try:
        keypoint = clip.get('keypoint')
        if layout is None:
            _check_axes(_numbers(keypoint, name).shape, name)
        else:
            sample = dict(clip)
            join_score(sample, layout)
            keypoint = sample['keypoint']
            check_keypoint(keypoint, layout, name)
        there = np.asarray(keypoint)
        if layout is not None and layout.coordinates == '2d':
            there = there[..., 2]
        if not there.any():
            yield UnusableClip(
                'nobody in it', f'clip {name!r}: no joint was measured; remove it.'
            )
        frames = there.shape[1]
        stated = clip.get('total_frames')
        if stated is not None and not (
            isinstance(stated, int | np.integer) and stated == frames
        ):
            yield UnusableClip(
                'total_frames is not the number of frames',
                f'clip {name!r}: total_frames={short(stated)}, but '
                f'keypoint has {frames} frames; correct it or leave it out.',
            )
    except UnusableClip as error:
        yield error


def describe_counts(counts: Mapping[str, int]) -> str:
    """Describe what alignment drops and interpolates.

    Args:
        counts (dict): Of :meth:`~hiclr_mmaction.skeleton.Tracking.counts`, may be summed.
    """
    words = dict(
        dropped_frames='drops {:,} frames without anybody',
        filled_frames='interpolates {:,} frames of a person',
        filled_joints='interpolates joints {:,} times',
        lost_joints='leaves {:,} joints of a person that were never measured at the centre',
    )
    said = [text.format(counts[k]) for k, text in words.items() if counts.get(k)]
    return ', '.join(said) or 'drops and fills nothing'


def pose_content(
    content: Any, where: str
) -> tuple[list[dict], dict[str, list[str]], dict[str, Any]]:
    """Split a pose pickle into its parts.

    Args:
        content (dict | list): ``dict(split={name: [frame_dir, ...]}, annotations=[{...},
            ...])``, or the annotations alone.
        where (str): How messages call the file.

    Returns:
        tuple: Annotations, splits, and what else the file says, such as ``layout``.

    Raises:
        ValueError: If it is something else.
    """
    head = dict(content) if isinstance(content, Mapping) else dict(annotations=content)
    annotations = head.pop('annotations', None)
    splits = head.pop('split', None) or {}
    classes = head.setdefault('classes', None) or []
    if not isinstance(annotations, list) or not all(
        isinstance(clip, Mapping) for clip in annotations
    ):
        raise ValueError(
            f'{where} is not a pose pickle: dict(split={{name: [frame_dir, ...]}}, '
            "annotations=[{'frame_dir': ..., 'keypoint': ..., 'label': ...}, ...])."
        )
    for key in ('layout', 'prepared'):
        if not _is_small(head.get(key)):
            raise ValueError(f'{where}: {key} is too large to be one; repair the file.')
    if not isinstance(splits, Mapping):
        splits = {'': splits}
    for name, members in {**splits, 'classes': classes}.items():
        if not isinstance(members, list | tuple | set | np.ndarray) or not all(
            isinstance(member, str | int | np.integer) for member in members
        ):
            raise ValueError(
                f'{where}: {"" if name == "classes" else "split "}{short(name)} is '
                f'not a list of names but {short(members)}; repair the file.'
            )
    head['classes'] = [str(name) for name in classes]
    annotations = [dict(clip) for clip in annotations]
    return annotations, {str(k): list(v) for k, v in splits.items()}, head


def _is_small(value: Any, limit: int = 10_000) -> bool:
    """Whether a value has few parts; a shared part counts each time."""
    parts, count = [value], 0
    while parts and count <= limit:
        part = parts.pop()
        count += 1
        if isinstance(part, Mapping):
            parts += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set | frozenset):
            parts += part
        elif isinstance(part, str | bytes | int):
            count += sys.getsizeof(part) // 100
    return count <= limit


def _numbers(keypoint: Any, name: str) -> np.ndarray:
    """The keypoints as an array of numbers.

    Raises:
        UnusableClip: If they are not numbers.
    """
    first = keypoint
    for _ in range(4):  # nested lists, no deeper than the axes
        if isinstance(first, list | tuple) and first:
            first = first[0]
    if isinstance(first, float | int | np.number | np.ndarray):
        try:
            array = np.asarray(keypoint)
        except ValueError:  # lists of different lengths
            array = np.empty(0, object)
        if array.dtype.kind in 'iuf':
            return array
    raise UnusableClip(
        'keypoint is not an array of numbers',
        f'clip {name!r}: keypoint is {type(keypoint).__name__}'
        f'{f" of {keypoint.dtype}" if isinstance(keypoint, np.ndarray) else ""}, not an '
        'array of numbers (persons, frames, joints, coordinates).',
    )


def array_shape(keypoint: Any) -> tuple[int, ...]:
    """The shape of a clip; ``()`` if it is not an array of numbers."""
    try:
        return _numbers(keypoint, '').shape
    except UnusableClip:
        return ()


def _check_axes(shape: tuple[int, ...], name: str) -> None:
    if len(shape) != 4:
        raise UnusableClip(
            'wrong number of axes',
            f'clip {name!r}: keypoint has shape {shape}; it should be (persons, frames, '
            'joints, coordinates).',
        )


def check_keypoint(keypoint: Any, layout: SkeletonLayout, name: str) -> None:
    """Check that a clip can be used.

    Args:
        keypoint (np.ndarray): Should be ``(M, T, V, C)``, finite, ``M, T >= 1``; ``C``
            is 3, or 2 in 2-D without scores; scores are 0 to 1.
        layout (SkeletonLayout): Its joints should be the layout's.
        name (str): How the messages call the clip.

    Raises:
        UnusableClip: A ValueError with what is wrong and what to do.
    """
    shape = _numbers(keypoint, name).shape
    _check_axes(shape, name)
    persons, frames, joints, channels = shape
    if joints != layout.num_joints:
        same = [x.name for x in LAYOUTS.values() if x.num_joints == joints]
        known = f' ({joints} joints: {", ".join(same)})' if same else ''
        raise UnusableClip(
            'wrong joint count',
            f'clip {name!r} has {joints} joints, but layout {layout.name!r} has '
            f'{layout.num_joints}; set the layout that the data were made with{known}.',
        )
    if persons == 0 or frames == 0:
        raise UnusableClip(
            'no person or no frame',
            f'clip {name!r} has {persons} persons and {frames} frames; remove it from '
            'the annotation file or from its split.',
        )
    if layout.coordinates == '2d':
        needed, accepted = '2 (x, y) or 3 (x, y, score)', [2, 3]
    else:
        needed, accepted = '3 (x, y, z)', [3]
    if channels not in accepted:
        raise UnusableClip(
            'wrong number of coordinates',
            f'clip {name!r} has {channels} coordinates per joint; layout {layout.name!r} '
            f'needs {needed}.',
        )
    with np.errstate(over='ignore', invalid='ignore'):
        keypoint = np.asarray(keypoint, np.float32)  # as it is used
        # Without a temporary array of the same size; NaN is neither.
        low, high = float(keypoint.min()), float(keypoint.max())
    if not -MAX_COORDINATE <= low <= high <= MAX_COORDINATE:
        bad = ~(np.abs(keypoint) <= MAX_COORDINATE)
        finite = np.isfinite(keypoint).all()
        what = f'above {MAX_COORDINATE:g}' if finite else 'NaN or infinite'
        frame = int(np.nonzero(bad.any(axis=(0, 2, 3)))[0][0])
        raise UnusableClip(
            'NaN or infinite',
            f'clip {name!r} holds {int(bad.sum())} values that are {what}, the first in '
            f'frame {frame}; repair the clip or remove it from its split.',
        )
    if layout.coordinates == '2d' and channels == 3:
        score = keypoint[..., 2]
        low, high = float(score.min()), float(score.max())
        if low < 0 or high > MAX_SCORE:
            raise UnusableClip(
                'scores out of range',
                f'clip {name!r}: the third number of a joint is {low:.3g} to {high:.3g}; '
                f'in the 2-D layout {layout.name!r} it is the score, 0 to 1. If it is z, '
                'set a 3-D layout, such as '
                f"dict(base={layout.name!r}, coordinates='3d').",
            )


def join_score(sample: dict[str, Any], layout: SkeletonLayout) -> None:
    """Join the scores of a sample to its coordinates.

    MMAction2's pose pickles hold ``keypoint`` ``(M, T, V, C)`` and ``keypoint_score``
    ``(M, T, V)``. In 2-D ``keypoint`` becomes float32 ``(M, T, V, 3)``; without scores a
    joint has 1, and 0 at (0, 0), where trackers put what they did not see. In 3-D a
    joint of score 0 becomes (0, 0, 0), which is how 3-D files mark it. Coordinates of
    score 0 may be NaN. ``keypoint_score`` is removed.

    Raises:
        UnusableClip: If the scores do not have the shape of the coordinates.
    """
    keypoint = _numbers(sample.get('keypoint'), sample_name(sample))
    score = sample.pop('keypoint_score', None)
    shape = keypoint.shape
    two_d = layout.coordinates == '2d'
    if two_d and shape[-1:] != (2,) or not two_d and score is None:
        return
    with np.errstate(over='ignore'):
        keypoint = np.asarray(keypoint, dtype=np.float32)
    if score is None:
        score = (keypoint != 0).any(-1)
    elif array_shape(score) != shape[:-1]:
        raise UnusableClip(
            'scores of another shape',
            f'clip {sample_name(sample)!r}: keypoint_score has shape {array_shape(score)}, '
            f'but keypoint {shape} needs {shape[:-1]}, one score per joint; repair the '
            'clip or remove it from its split.',
        )
    score = np.asarray(score, dtype=np.float32)[..., None]
    keypoint = np.where(score == 0, np.float32(0), keypoint)
    sample['keypoint'] = (
        np.concatenate([keypoint, score], axis=-1) if two_d else keypoint
    )
