"""Forms of files, and their content."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...skeleton import SkeletonLayout
from ..converter import blank

X, Y, Z, SCORE = range(4)
# Scores of trackers can slightly exceed 1; larger values are another quantity.
MAX_SCORE = 1.5
_LARGEST = 1e30  # float32 holds it
_MAX_PERSONS = 50  # in a frame
NOBODY = 'no person: nobody is tracked in any frame'
OTHER_JOINTS = 'joints that are not in the layout'
OTHER_ORDER = 'bones as long as any two joints are apart; see --layout, --channels'
# Kinect's words for its numbers.
TRACKING_STATES = {'nottracked': 0, 'inferred': 1, 'tracked': 2}


@dataclass(frozen=True)
class Options:
    """How files are read.

    Attributes:
        layout (SkeletonLayout): The skeleton of the result.
        num_person (int): Persons kept, those with the most score.
        image_size (Sequence[float] | None): Width and height of the image, if coordinates
            are fractions of it.
        axes (str | None): The axes of arrays, such as ``'TMVC'``.
        channels (str | None): The meaning of a joint's numbers in files that do not name
            them, in order: x, y, z and the score s, such as ``'yxs'``.
        ignore_columns (Sequence[str]): Columns of tables that are ignored.
        refuse_missing (bool): Whether clips with missing joints are skipped.

    Raises:
        ValueError: If a setting is out of range.
    """

    layout: SkeletonLayout
    num_person: int = 2
    image_size: Sequence[float] | None = None
    axes: str | None = None
    channels: str | None = None
    ignore_columns: Sequence[str] = ()
    refuse_missing: bool = False

    def __post_init__(self) -> None:
        needed = 'xy' if self.layout.coordinates == '2d' else 'xyz'
        if self.image_size is not None and needed != 'xy':
            raise ValueError(
                f'image_size={list(self.image_size)}: layout {self.layout.name!r} is '
                'not 2d; leave it out.'
            )
        if self.num_person < 1:
            raise ValueError(f'num_person={self.num_person} is less than 1.')
        if self.axes is not None and sorted(self.axes) not in (
            sorted('TVC'), sorted('MTVC'),
        ):  # fmt: skip
            raise ValueError(
                f'axes={self.axes!r} is not an order of the letters T, V, C and perhaps '
                'M (frames, joints, coordinates, persons).'
            )
        if self.channels is not None and not (
            set(needed) <= set(self.channels) <= set('xyzs')
            and len(set(self.channels)) == len(self.channels)
        ):
            raise ValueError(
                f'channels={self.channels!r} is not an order of {", ".join(needed)} and '
                f'perhaps the score s; layout {self.layout.name!r} is '
                f'{self.layout.coordinates}.'
            )

    def name_channels(self, count: int) -> str:
        """The meaning of a joint's unnamed numbers; the third depends on the layout.

        Raises:
            ValueError: If there are too few or too many.
        """
        if self.channels is not None:
            named: str | None = self.channels if len(self.channels) == count else None
        elif self.layout.coordinates == '2d':
            named = {2: 'xy', 3: 'xys', 4: 'xyzs'}.get(count)
        else:
            named = {3: 'xyz', 4: 'xyzs'}.get(count)
        if named is None:
            wanted = (
                f'--channels {self.channels}'
                if self.channels
                else f'a layout of {self.layout.coordinates}'
            )
            raise ValueError(
                f'wrong number of coordinates: {count} a joint, for {wanted}'
            )
        return named


@dataclass
class Recording:
    """The content of a file.

    Attributes:
        values (np.ndarray): ``(M, T, V, 4)``: x, y, z and score. NaN: not in the file.
        facts (dict): ``label``, ``up``, ``scale``, as a converter's ``read`` returns
            them.
        notes (list[str]): Harmless irregularities.
    """

    values: np.ndarray
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def sample(self, options: Options) -> dict[str, Any]:
        """``keypoint``, facts and notes, as a converter's ``read`` returns them.

        In 2-D ``keypoint`` is ``(M, T, V, 3)`` with the score. A missing joint is all
        zeros.

        Raises:
            ValueError: If there is no person, or the coordinates are unusable.
        """
        two_d = options.layout.coordinates == '2d'
        notes = list(self.notes)
        values = self._most_seen(options.num_person)
        if len(values) < len(self.values):
            notes.append(f'more than {options.num_person} persons; see --persons')
        coordinates, score = values[..., : 2 if two_d else 3], values[..., SCORE]
        missing = np.isnan(coordinates).any(-1)
        if missing.all():
            flat = not two_d and not np.isnan(values[..., :2]).all()
            raise ValueError(
                f'no z: the file is 2-D, but layout {options.layout.name!r} is 3-D'
                if flat
                else NOBODY
            )
        if (np.abs(coordinates[~missing]) > _LARGEST).any():
            raise ValueError('infinite: a coordinate is infinite, or larger than 1e30')
        unscored = np.isnan(score)
        score[~unscored] = _checked(score[~unscored], score[~unscored & ~missing])
        score[unscored] = 1
        if two_d:
            # Trackers without scores put undetected joints at (0, 0).
            missing |= unscored & (coordinates == 0).all(-1)
        else:
            missing |= score == 0
        values[missing] = 0
        # In frames with the person.
        count = int((missing & ~missing.all(-1, keepdims=True)).sum())
        if count and options.refuse_missing:
            raise ValueError(f'missing joints: {count} are not in their frame')
        if count and not two_d:
            notes.append('missing joints')
        if two_d and options.image_size is not None:
            coordinates *= np.asarray(options.image_size, dtype=np.float64)
        elif two_d and np.abs(coordinates).max() < 2:
            notes.append('fractions of the image, not pixels; see --image-size')
        keypoint = values[..., [X, Y, SCORE]] if two_d else values[..., :3]
        return dict(self.facts, keypoint=keypoint, notes=notes)

    def _most_seen(self, num_person: int) -> np.ndarray:
        """A copy of the values of the persons with the most score, in their order."""
        weights = [-_weight({0: person}) for person in self.values]
        return self.values[np.sort(np.argsort(weights, kind='stable')[:num_person])]


def _checked(score: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Scores from 0 to 1; the flags 0, 1, 2 (not labelled, hidden, visible) are converted.

    Args:
        score (np.ndarray): The scores.
        known (np.ndarray): The scores of joints with coordinates, which are checked.

    Raises:
        ValueError: If they are another quantity.
    """
    if not known.size or (known.min() >= 0 and known.max() <= MAX_SCORE):
        return score
    if set(np.unique(known)) <= {0, 1, 2}:
        return np.minimum(score, 1)
    raise ValueError(
        f'score out of range: {known.min():.4g} to {known.max():.4g}, not 0 to 1; divide '
        'percentages by 100, or name another coordinate by a header or --channels'
    )


@dataclass
class Person:
    """A person in one frame.

    Attributes:
        values (np.ndarray): ``(V, 4)``: x, y, z and score. NaN: not in the file.
        id (Hashable): The id of the person; None if the file has none.
        names (Sequence[str]): The names of the joints, if the file has them.
    """

    values: np.ndarray
    id: Hashable = None
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Form:
    """A file format.

    Attributes:
        name (str): Name of the software or format.
        file (str): ``'CSV'``, ``'JSON'`` or ``'NPY'``.
        about (str): Description in one line.
        example (str): Some lines of such a file.
        layout (str | dict): The layout of the example.
        recognise (Callable): Whether the content of a file (or frame) has this format.
        read (Callable): Reads the content.
    """

    name: str
    file: str
    about: str
    example: str
    layout: str | dict
    recognise: Callable[..., bool]
    read: Callable[..., Any]


def numbers(values: Any) -> np.ndarray:
    """Nested lists as float64; None becomes NaN.

    Raises:
        ValueError: If they are uneven, or contain something other than numbers.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f'not numbers: {error}') from error


def columns(values: Any, named: str = '') -> np.ndarray:
    """``(V, n)`` numbers of joints as ``(V, 4)``.

    Args:
        values (array_like): The numbers.
        named (str): Their meaning: ``'xy'``, ``'xyz'``, ``'xys'`` or ``'xyzs'``.
    """
    values = numbers(values)
    if values.ndim != 2 or values.shape[1] != len(named):
        raise ValueError(f'wrong shape: {values.shape}, not (joints, {len(named)})')
    out = np.full((len(values), 4), np.nan)
    out[:, ['xyzs'.index(letter) for letter in named]] = values
    return out


def follow(
    frames: Mapping[int, Sequence[Person]], num_person: int, path: Path
) -> np.ndarray:
    """Join the persons of all frames to one array per person.

    Persons with an id are matched by it. Others are matched to the persons of earlier
    frames so that the joints move least in total, and by no more than the size of a person.

    Args:
        frames (dict): The persons of each frame.
        num_person (int): Persons kept, those with the most score.
        path (Path): The file, whose size bounds the memory.

    Returns:
        np.ndarray: ``(M, T, V, 4)``, NaN where a person is not seen.
    """
    tracks: list[dict[int, np.ndarray]] = []
    by_id: dict[Hashable, int] = {}
    strangers: list[int] = []  # tracks of persons without an id
    for t in sorted(frames):
        if len(frames[t]) > _MAX_PERSONS:
            raise ValueError(
                f'too many persons: {len(frames[t])} in frame {t}, more than '
                f'{_MAX_PERSONS}'
            )
        unnamed = []
        seen = set()
        for person in frames[t]:
            # An id that two persons share identifies neither.
            if person.id is None or person.id in seen:
                unnamed.append(person.values)
                continue
            seen.add(person.id)
            if person.id not in by_id:
                by_id[person.id] = len(tracks)
                tracks.append({})
            tracks[by_id[person.id]][t] = person.values
        # Only the latest tracks, to limit the cost for crowds.
        latest = strangers[-2 * _MAX_PERSONS :]
        for values, track in _matched(unnamed, [(i, tracks[i]) for i in latest]):
            if track is None:
                track = len(tracks)
                strangers.append(track)
                tracks.append({})
            tracks[track][t] = values
    if not tracks:
        raise ValueError(NOBODY)
    tracks.sort(key=_weight, reverse=True)
    tracks = tracks[:num_person]
    first, last = min(frames), max(frames)
    joints = len(next(iter(tracks[0].values())))
    out = blank((len(tracks), last - first + 1, joints, 4), path)
    out[:] = np.nan
    for array, poses in zip(out, tracks, strict=True):
        array[np.array(list(poses)) - first] = list(poses.values())
    return out


def _matched(
    persons: Sequence[np.ndarray], tracks: Sequence[tuple[int, Mapping]]
) -> list[tuple[np.ndarray, int | None]]:
    """Each person with its track, or None for a new person."""
    from scipy.optimize import linear_sum_assignment  # other files need none

    last = [(i, track[max(track)]) for i, track in tracks]
    cost = np.full((len(persons), len(last)), np.inf)
    for row, person in enumerate(persons):
        seen = ~np.isnan(person[:, :2]).any(-1)
        size = np.ptp(person[seen, :2], axis=0).max() if seen.any() else 0.0
        for column, (_, before) in enumerate(last):
            both = seen & ~np.isnan(before[:, :2]).any(-1)
            if both.any():
                moved = np.abs(person[both, :2] - before[both, :2]).mean()
                cost[row, column] = moved if moved <= size else np.inf
    far = np.isinf(cost)
    # Finite, and more expensive than any matching of near persons.
    cost[far] = 1 + 2 * cost[~far].sum()
    taken = {
        row: last[column][0]
        for row, column in zip(*linear_sum_assignment(cost), strict=True)
        if not far[row, column]
    }
    return [(person, taken.get(row)) for row, person in enumerate(persons)]


def _weight(track: Mapping[int, np.ndarray]) -> float:
    """How complete a person is: the sum of its scores, or else its number of joints."""
    values = np.stack(list(track.values()))
    score = np.nan_to_num(values[..., SCORE], nan=1).clip(0, 1)
    return float((score * ~np.isnan(values[..., 0])).sum())
