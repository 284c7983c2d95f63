"""NTU RGB+D 60 and 120: the ``.skeleton`` files of Kinect v2.

A. Shahroudy et al., CVPR 2016, and J. Liu et al., TPAMI 2020. A file starts with its
number of frames; a frame with its number of bodies; a body is a line that begins with
its id, a line with its number of joints, and a line of 12 numbers a joint, ``x y z``
in metres first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .converter import Clip, SkeletonConverter, split_by

NUM_JOINTS = 25
_MAX_BODIES = 500_000  # in all frames of a file, which takes 300 MB
_NUMBERS_OF_JOINT = 12
_NAME = re.compile(r'S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})')
NTU_NAME_KEYS = ('setup', 'camera', 'subject', 'replication', 'action')

# The published training sets: of subjects for the cross-subject protocols, of cameras
# for the cross-view one, and the setups of even number for the cross-setup one.
XSUB60_TRAIN = (
    1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38,
)  # fmt: skip
XSUB120_TRAIN = (
    *XSUB60_TRAIN, 45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80,
    81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103,
)  # fmt: skip
XVIEW_TRAIN = (2, 3)
XSET_TRAIN = tuple(range(2, 33, 2))

BODY_SELECTIONS = ('first-two', 'most-motion')


def parse_ntu_name(name: str) -> dict[str, int] | None:
    """Setup, camera, subject, replication and action in an NTU name.

    Args:
        name (str): Such as ``'S001C002P003R002A013'``. None for other names.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return dict(zip(NTU_NAME_KEYS, map(int, match.groups()), strict=True))


class NTUConverter(SkeletonConverter):
    """The ``.skeleton`` files of a folder and of its subfolders.

    Args:
        folders (Sequence[str]): Where to look; NTU RGB+D 120 comes as two archives.
        dataset (str): ``'ntu60'`` (actions 1 to 60; splits xsub, xview) or ``'ntu120'``
            (actions 1 to 120; xsub, xset).
        bodies (str): ``'first-two'``, the first two body ids in order of appearance, as
            the released HiCLR preprocessing takes them; or ``'most-motion'``, see
            :func:`most_motion`.
        max_frames (int | None): Longer clips are left out.

    Raises:
        ValueError: If a setting is out of range.
    """

    layout = 'nturgb+d'
    untracked = 'released'  # the released recipe's data

    def __init__(
        self,
        folders: Sequence[str | Path],
        dataset: str = 'ntu60',
        bodies: str = 'first-two',
        max_frames: int | None = 300,
    ) -> None:
        if dataset not in ('ntu60', 'ntu120'):
            raise ValueError(f"dataset={dataset!r} is not 'ntu60' or 'ntu120'.")
        if bodies not in BODY_SELECTIONS:
            raise ValueError(
                f'bodies={bodies!r} is unknown; known are {", ".join(BODY_SELECTIONS)}.'
            )
        self.folders = [str(folder) for folder in folders]
        self.dataset = dataset
        self.bodies = bodies
        self.max_frames = max_frames

    def clips(self) -> Iterator[Clip]:
        """All ``.skeleton`` files, by name."""
        files: list[Path] = []
        for folder in self.folders:
            if not Path(folder).is_dir():
                raise ValueError(f'{folder} is not a folder.')
            files += Path(folder).rglob('*.skeleton')
        for path in sorted(files, key=lambda path: (path.name, str(path))):
            yield Clip(path.name.removesuffix('.skeleton'), (str(path),))

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read one file."""
        numbers = parse_ntu_name(clip.id)
        if numbers is None:
            raise ValueError('not an NTU name: it should be SsssCcccPpppRrrrAaaa')
        action = numbers.pop('action')
        num_actions = 60 if self.dataset == 'ntu60' else 120
        if not 1 <= action <= num_actions:
            raise ValueError(
                f'action of another set: A{action:03d} is not one of the {num_actions} '
                f'of {self.dataset}'
            )
        data = Path(clip.files[0]).read_bytes()
        notes = ['CRLF line ends'] if b'\r' in data else []
        bodies = parse_skeleton(data)
        if not len(bodies):
            raise ValueError('no person: nobody is tracked in any frame')
        select = first_two if self.bodies == 'first-two' else most_motion
        return dict(keypoint=select(bodies), label=action - 1, notes=notes, **numbers)

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """The published protocols."""
        if self.dataset == 'ntu60':
            return {
                **split_by(samples, 'subject', XSUB60_TRAIN, 'xsub'),
                **split_by(samples, 'camera', XVIEW_TRAIN, 'xview'),
            }
        return {
            **split_by(samples, 'subject', XSUB120_TRAIN, 'xsub'),
            **split_by(samples, 'setup', XSET_TRAIN, 'xset'),
        }


# ---------------------------------------------------------------------------
# Parsing
# ---------------------------------------------------------------------------


def parse_skeleton(data: bytes) -> np.ndarray:
    """Read the text of a ``.skeleton`` file.

    Args:
        data (bytes): The file.

    Returns:
        np.ndarray: Coordinates ``(M, T, 25, 3)``, float64, metres: a row for each body
        id, in order of appearance; zeros where the body is not in the frame.

    Raises:
        ValueError: Why it cannot be read, as ``'kind: details'``.
    """
    lines = data.rstrip().splitlines()
    if not lines:
        raise ValueError('empty: the file holds nothing')
    num_frames = _count(lines, 0, 'frames')
    where: list[tuple[int, int]] = []  # body and frame of each block of joints
    joints: list[bytes] = []  # its lines
    ids: dict[bytes, int] = {}
    line = 1
    for frame in range(num_frames):
        _require(lines, line, frame, num_frames)
        bodies = _count(lines, line, f'bodies in frame {frame}')
        line += 1
        for _ in range(bodies):
            _require(lines, line + NUM_JOINTS + 1, frame, num_frames)
            # As text, because an id has more digits than a double.
            name = lines[line].split(None, 1)[0]
            count = _count(lines, line + 1, f'joints in frame {frame}')
            if count != NUM_JOINTS:
                raise ValueError(
                    f'wrong joint count: {count} joints in frame {frame}, not '
                    f'{NUM_JOINTS}'
                )
            where.append((ids.setdefault(name, len(ids)), frame))
            line += 2
            _check_columns(lines, line)
            joints += lines[line : line + NUM_JOINTS]
            line += NUM_JOINTS
    if line != len(lines):
        raise ValueError(
            f'too much text: {len(lines) - line} lines after the last of the '
            f'{num_frames} frames'
        )
    if len(ids) * num_frames > _MAX_BODIES:
        raise ValueError(f'too large: {len(ids)} bodies in {num_frames} frames')
    out = np.zeros((len(ids), num_frames, NUM_JOINTS, 3))
    if where:
        try:
            numbers = np.loadtxt(joints, usecols=(0, 1, 2), comments=None, ndmin=2)
        except ValueError as error:
            raise ValueError(f'not a number: {error}') from error
        body, frame_of = np.array(where).T
        out[body, frame_of] = numbers.reshape(-1, NUM_JOINTS, 3)
    return out


def _require(lines: list[bytes], line: int, frame: int, num_frames: int) -> None:
    """Raise a ValueError if the file ends before a line."""
    if line >= len(lines):
        raise ValueError(f'truncated: the file ends in frame {frame} of {num_frames}')


def _count(lines: list[bytes], line: int, what: str) -> int:
    """The integer on a line."""
    word = lines[line].strip()
    if not (word.isdigit() and len(word) < 7):
        text = word[:40].decode('latin1')
        raise ValueError(
            f'not a skeleton file: line {line + 1} should be the number of {what}, '
            f'but is {text!r}'
        )
    return int(word)


def _check_columns(lines: list[bytes], first: int) -> None:
    """Check that each line of a body has the numbers of a joint."""
    stop = first + NUM_JOINTS
    # Counting blanks is quicker than splitting, and enough for most files.
    if b''.join(lines[first:stop]).count(b' ') == NUM_JOINTS * (_NUMBERS_OF_JOINT - 1):
        return
    for line in range(first, stop):
        if len(lines[line].split()) != _NUMBERS_OF_JOINT:
            kind = 'truncated' if line == len(lines) - 1 else 'not a skeleton file'
            raise ValueError(
                f'{kind}: line {line + 1} should be a joint of {_NUMBERS_OF_JOINT} '
                f'numbers, but is {lines[line][:40].decode("latin1")!r}'
            )


# ---------------------------------------------------------------------------
# Which bodies
# ---------------------------------------------------------------------------


def first_two(bodies: np.ndarray) -> np.ndarray:
    """The first two bodies in order of appearance."""
    return bodies[:2]


def most_motion(
    bodies: np.ndarray, min_frames: int = 11, max_width: float = 0.8
) -> np.ndarray:
    """The two persons who move most, without false detections.

    Kinect detects chairs and shadows as bodies, for a short time or with a width larger
    than a person's height. A body counts as a person if it is in more than ``min_frames``
    frames (or in half of them), and if in most of its frames its width is at most
    ``max_width`` times its height or it has the length of a lying person. If no body
    passes, all are kept. A person who is lost and found gets a new id in Kinect, so bodies
    that are never in the same frame are joined to one person, starting with the body that
    moves most. Frames without both persons are dropped.

    Args:
        bodies (np.ndarray): ``(M, T, V, 3)``, metres, zeros where a body is not there.
        min_frames (int): A person is in more frames than this.
        max_width (float): Largest ratio of width to height.

    Returns:
        np.ndarray: ``(1 or 2, T', V, 3)``; the first person moves most.
    """
    there: np.ndarray = (bodies != 0).any(axis=(2, 3))
    real = [
        m
        for m, body in enumerate(bodies)
        if _is_person(body[there[m]], bodies.shape[1], min_frames, max_width)
    ] or list(range(len(bodies)))
    motion = {m: _motion(bodies[m][there[m]]) for m in real}
    persons: list[np.ndarray] = []
    for m in sorted(real, key=lambda m: (-motion[m], m)):
        for person in persons:
            if not (person.any(axis=(1, 2)) & there[m]).any():
                person += bodies[m]
                break
        else:
            if len(persons) < 2:
                persons.append(bodies[m].copy())
    out = np.stack(persons)
    return out[:, out.any(axis=(0, 2, 3))]


def _is_person(
    body: np.ndarray, num_frames: int, min_frames: int, max_width: float
) -> bool:
    """Whether a body (its frames alone) is seen long enough and has a person's shape."""
    if len(body) <= min(min_frames, num_frames // 2):
        return False
    width, height = np.ptp(body[..., 0], axis=1), np.ptp(body[..., 1], axis=1)
    return bool(np.mean(width > max_width * height) < 0.5) or _is_long(body)


def _is_long(body: np.ndarray) -> bool:
    """Whether head and feet are as far apart as a lying person's, in metres."""
    feet = (body[:, 15] + body[:, 19]) / 2
    length = np.linalg.norm(body[:, 3] - feet, axis=-1)
    return bool(0.9 < np.median(length) < 2.2)


def _motion(body: np.ndarray) -> float:
    """How much the joints move: the sum of their variances over time, m^2."""
    return float(body.var(axis=0).sum())
