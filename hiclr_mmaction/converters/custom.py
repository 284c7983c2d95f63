"""Clips of one's own: CSV, NPY or JSON files, one a clip.

CSV, long: a header with ``joint`` (a number from 0 on, or the layout's name for it),
``x``, ``y``, and if wanted ``frame``, ``person``, ``z`` and ``score`` (``visibility``
and ``confidence`` are called so too); one line a joint. Without ``frame`` a new frame
starts where the first joint comes again. What is not listed is 0, not seen.

CSV, wide: one line a frame, the joints' coordinates one after the other, with or
without a header; columns that the header calls ``frame`` and ``person`` are heeded,
``time`` and ``timestamp`` are left out.

NPY: ``(T, V, C)`` or ``(M, T, V, C)``.

JSON: frames with ``instances`` (``keypoints``, ``keypoint_scores``, if there is one
``track_id``), as MMPose writes them; COCO's result list (``image_id``, ``keypoints``);
or a list with the landmarks of each frame (``x y z visibility``), as MediaPipe gives
them. Persons without an id are followed from frame to frame by where they are.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..skeleton import SkeletonLayout, get_layout
from .labelled_folder import LabelledFolder, kept_axes, scale_image

_SCORES = ('score', 'visibility', 'confidence')
_NO_JOINT = ('frame', 'person', 'time', 'timestamp')


class CustomConverter(LabelledFolder):
    """The CSV, NPY and JSON files of a folder.

    Args:
        folder, labels, val_subjects: As in :class:`LabelledFolder`.
        layout (str | dict): The skeleton.
        image_size (Sequence[float], optional): Width and height of the picture, where
            the coordinates are parts of them, 0 to 1, as MediaPipe's are.
        num_person (int): Persons kept of a JSON file, those with the most score.
        max_frames (int, optional): Longer clips are left out.
    """

    suffixes = ('.csv', '.npy', '.json')

    def __init__(
        self,
        folder: str | Path,
        labels: str | Path | None = None,
        val_subjects: Sequence[str] = (),
        layout: str | dict = 'nturgb+d',
        image_size: Sequence[float] | None = None,
        num_person: int = 2,
        max_frames: int | None = None,
    ) -> None:
        super().__init__(folder, labels, val_subjects)
        self.layout = layout
        coordinates = get_layout(layout).coordinates
        if image_size is not None and coordinates != '2d':
            raise ValueError(
                f'image_size={list(image_size)}: layout {get_layout(layout).name!r} is '
                'no layout of skeletons in an image; leave it out.'
            )
        self.image_size = None if image_size is None else list(image_size)
        self.num_person = num_person
        self.max_frames = max_frames

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file by its suffix."""
        layout = get_layout(self.layout)
        read = dict(zip(self.suffixes, (read_csv, read_npy, self._json), strict=True))
        keypoint = read[path.suffix.lower()](path, layout)
        return dict(keypoint=scale_image(keypoint, self.image_size))

    def _json(self, path: Path, layout: SkeletonLayout) -> np.ndarray:
        return read_json(path, layout, self.num_person)


def read_npy(path: Path, layout: SkeletonLayout) -> np.ndarray:
    """``(M, T, V, C)`` of an array file."""
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f'no array: {error}') from error
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.dtype.kind not in 'fiu':
        raise ValueError(
            f'wrong shape: {array.dtype} {array.shape}, not numbers (T, V, C) or '
            '(M, T, V, C)'
        )
    return array[..., kept_axes(array.shape[-1], layout.coordinates)]


def read_csv(path: Path, layout: SkeletonLayout) -> np.ndarray:
    """``(M, T, V, C)`` of a table, long or wide."""
    with open(path, encoding='utf-8-sig', newline='') as file:
        rows = [row for row in csv.reader(file, skipinitialspace=True) if any(row)]
    if not rows:
        raise ValueError('empty: it has no line')
    head = [cell.strip().lower() for cell in rows[0]]
    if all(_is_number(cell) for cell in head):
        head = [''] * len(head)
    else:
        rows = rows[1:]
    for number, row in enumerate(rows):
        if len(row) != len(head):
            raise ValueError(
                f'uneven lines: line {number + 1} of numbers has {len(row)} columns, '
                f'not {len(head)}'
            )
    if not rows:
        raise ValueError('empty: it has a header and no line')
    if 'joint' in head:
        return _read_long(head, rows, layout)
    return _read_wide(head, rows, layout)


def _read_long(
    head: list[str], rows: list[list[str]], layout: SkeletonLayout
) -> np.ndarray:
    columns = {name: i for i, name in enumerate(head)}
    score = next((name for name in _SCORES if name in columns), None)
    axes = ['x', 'y', 'z'] if layout.coordinates == '3d' else ['x', 'y']
    if layout.coordinates == '2d' and score:
        axes.append(score)
    missing = [axis for axis in axes if axis not in columns]
    if missing:
        raise ValueError(f'missing columns: {", ".join(missing)}')
    names = {name.lower(): j for j, name in enumerate(layout.joints)}
    joints = np.array([_joint(row[columns['joint']], names) for row in rows])
    if joints.min() < 0 or joints.max() >= layout.num_joints:
        raise ValueError(
            f'wrong joint: {joints.min()} to {joints.max()}, not 0 to '
            f'{layout.num_joints - 1}'
        )
    values = np.array([[_number(row[columns[axis]]) for axis in axes] for row in rows])
    persons = _ranks(_column('person', columns, rows))
    if 'frame' in columns:
        frames = _column('frame', columns, rows).astype(int)
        frames = frames - frames.min()
    else:  # the first joint of the first person comes again
        again = (joints == joints[0]) & (persons == persons[0])
        frames = again.cumsum() - 1
    out = np.zeros(
        (persons.max() + 1, frames.max() + 1, layout.num_joints, len(axes)), np.float64
    )
    out[persons, frames, joints] = values
    return out


def _read_wide(
    head: list[str], rows: list[list[str]], layout: SkeletonLayout
) -> np.ndarray:
    columns = {name: i for i, name in enumerate(head) if name in _NO_JOINT}
    places = [i for i in range(len(head)) if i not in columns.values()]
    channels, rest = divmod(len(places), layout.num_joints)
    if rest or not channels:
        raise ValueError(
            f'wrong number of columns: {len(places)}, no multiple of the '
            f'{layout.num_joints} joints'
        )
    values = np.array([[_number(row[i]) for i in places] for row in rows])
    values = values.reshape(len(rows), layout.num_joints, channels)
    persons = _ranks(_column('person', columns, rows))
    if 'frame' in columns:
        frames = _column('frame', columns, rows).astype(int)
        frames = frames - frames.min()
    else:
        frames = np.zeros(len(rows), int)
        for person in range(persons.max() + 1):
            own = persons == person
            frames[own] = np.arange(own.sum())
    out = np.zeros((persons.max() + 1, frames.max() + 1, *values.shape[1:]))
    out[persons, frames] = values
    return out[..., kept_axes(channels, layout.coordinates)]


def read_json(path: Path, layout: SkeletonLayout, num_person: int) -> np.ndarray:
    """``(M, T, V, C)`` of the results of MMPose, COCO or MediaPipe."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'no JSON: {error}') from error
    if isinstance(content, Mapping):
        content = content.get('instance_info', content.get('frames'))
    if not isinstance(content, list) or not content:
        raise ValueError('unknown JSON: it is no list of frames')
    bodies: list[list[tuple[Any, np.ndarray]]]
    try:
        if all(isinstance(row, Mapping) and 'image_id' in row for row in content):
            bodies = _coco_results(content)
        else:
            bodies = [_bodies(frame) for frame in content]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'unknown JSON: {error!r}') from error
    for _, body in (found for frame in bodies for found in frame):
        if body.ndim != 2 or len(body) != layout.num_joints:
            raise ValueError(
                f'wrong joint count: a body of {len(body)} joints, not '
                f'{layout.num_joints}'
            )
    tracks = follow(
        [
            [
                (i, body[:, kept_axes(body.shape[1], layout.coordinates)])
                for i, body in f
            ]
            for f in bodies
        ]
    )
    if not tracks:
        raise ValueError('no person: nobody is found in any frame')
    tracks.sort(key=_weight, reverse=True)
    return np.stack(tracks[:num_person])


def _bodies(frame: Any) -> list[tuple[Any, np.ndarray]]:
    """Persons of a frame, each with its id or None."""
    if not frame:
        return []
    if isinstance(frame, Mapping):
        found = frame.get('instances')
        if found is not None:
            return [
                (
                    body.get('track_id', body.get('instance_id')),
                    _beside(body['keypoints'], body.get('keypoint_scores')),
                )
                for body in found
            ]
        frame = frame.get('landmarks', frame.get('pose_landmarks'))
        if not frame:
            return []
    several = isinstance(frame[0], list) and isinstance(frame[0][0], list | Mapping)
    return [(None, _landmarks(body)) for body in (frame if several else [frame])]


def _landmarks(body: Sequence) -> np.ndarray:
    if isinstance(body[0], Mapping):
        body = [
            [joint.get(k, 0.0) for k in ('x', 'y', 'z', 'visibility')] for joint in body
        ]
    return np.asarray(body, dtype=np.float64)


def _beside(keypoints: Sequence, scores: Sequence | None) -> np.ndarray:
    places = np.asarray(keypoints, dtype=np.float64)
    if scores is None:
        return places
    return np.concatenate([places, np.asarray(scores, np.float64)[:, None]], axis=-1)


def _coco_results(rows: Sequence[Mapping]) -> list[list[tuple[Any, np.ndarray]]]:
    frames: dict[Any, list] = {}
    for row in rows:
        body = np.asarray(row['keypoints'], np.float64).reshape(-1, 3)
        frames.setdefault(row['image_id'], []).append((row.get('track_id'), body))
    return [frames[image] for image in sorted(frames)]


def follow(frames: Sequence[Sequence[tuple[Any, np.ndarray]]]) -> list[np.ndarray]:
    """Put the persons of each frame together to one array a person.

    A person with an id is the one who had it before. The others are matched with those
    seen last so that the joints move least in all, and not further than a body is large.

    Args:
        frames (Sequence[list[tuple]]): Of each frame (id or None, joints ``(V, C)``).

    Returns:
        list[np.ndarray]: ``(T, V, C)`` a person, 0 where it is not seen.
    """
    tracks: list[dict[int, np.ndarray]] = []
    by_id: dict[Any, int] = {}
    for t, bodies in enumerate(frames):
        unnamed = []
        for name, body in bodies:
            if name is None:
                unnamed.append(body)
                continue
            if name not in by_id:
                by_id[name] = len(tracks)
                tracks.append({})
            tracks[by_id[name]][t] = body
        open_tracks = [
            i for i in range(len(tracks)) if i not in by_id.values() and tracks[i]
        ]
        last = [tracks[i][max(tracks[i])] for i in open_tracks]
        cost = np.array(
            [[np.abs(b[:, :2] - a[:, :2]).mean() for a in last] for b in unnamed]
        ).reshape(len(unnamed), len(last))
        taken = {}
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if cost[row, column] <= np.ptp(unnamed[row][:, :2], axis=0).max():
                taken[row] = open_tracks[column]
        for row, body in enumerate(unnamed):
            if row not in taken:
                taken[row] = len(tracks)
                tracks.append({})
            tracks[taken[row]][t] = body
    out = []
    for track in tracks:
        joints = next(iter(track.values()))
        array = np.zeros((len(frames), *joints.shape))
        array[list(track)] = list(track.values())
        out.append(array)
    return out


def _weight(track: np.ndarray) -> float:
    """How much of a person there is: its scores, or else its frames."""
    seen = track.any(axis=(1, 2))
    return float((track[..., 2].clip(0, 1) if track.shape[-1] == 3 else seen).sum())


def _column(
    name: str, columns: Mapping[str, int], rows: Sequence[Sequence[str]]
) -> np.ndarray:
    if name not in columns:
        return np.zeros(len(rows))
    cells = [row[columns[name]].strip() for row in rows]
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        if name == 'person':
            return np.array(cells)
        raise ValueError(f'not a number: column {name}') from None


def _ranks(values: np.ndarray) -> np.ndarray:
    """0, 1, ... for the different values, in the order in which they come."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse.reshape(-1)]


def _joint(text: str, names: Mapping[str, int]) -> int:
    text = text.strip().lower()
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(
            f'wrong joint: {text!r} is no number and no name of the layout'
        )
    return int(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text  # an empty cell stands for a number that is not known
    return True


def _number(text: str) -> float:
    if not text.strip():
        return float('nan')
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'not a number: {text!r}') from None
