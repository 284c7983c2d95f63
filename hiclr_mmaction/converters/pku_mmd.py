"""PKU-MMD I and II: long recordings with several actions each.

C. Liu et al., arXiv 1703.07475. A recording is a text of 150 numbers a line and frame,
``x y z`` in metres of 25 joints of two persons, the second zero where there is none.
Its label file has a line ``class,start,end,confidence`` for each action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .converter import Clip, SkeletonConverter, stamp

NUM_COLUMNS = 150

CLASSES = (
    'bow', 'brushing hair', 'brushing teeth', 'check time (from watch)', 'cheer up',
    'clapping', 'cross hands in front (say stop)', 'drink water', 'drop',
    'eat meal/snack', 'falling', 'giving something to other person', 'hand waving',
    'handshaking', 'hopping (one foot jumping)', 'hugging other person', 'jump up',
    'kicking other person', 'kicking something', 'make a phone call/answer phone',
    'pat on back of other person', 'pickup', 'playing with phone/tablet',
    'point finger at the other person', 'pointing to something with finger',
    'punching/slapping other person', 'pushing other person', 'put on a hat/cap',
    'put something inside pocket', 'reading', 'rub two hands together', 'salute',
    'sitting down', 'standing up', 'take off a hat/cap', 'take off glasses',
    'take off jacket', 'take out something from pocket', 'taking a selfie',
    'tear up paper', 'throw', 'touch back (backache)',
    'touch chest (stomachache/heart pain)', 'touch head (headache)',
    'touch neck (neckache)', 'typing on a keyboard',
    'use a fan (with hand or paper)/feeling warm', 'wear jacket', 'wear on glasses',
    'wipe face', 'writing',
)  # fmt: skip


class PKUMMDConverter(SkeletonConverter):
    """Action clips cut from the recordings of a folder.

    A clip has the name ``{recording}_F{start}-{end}_A{class}``, and the keys
    ``video`` (the recording) and ``camera`` (``'L'``, ``'M'`` or ``'R'``). It is made of
    the lines ``start`` to ``end - 1``, counted from 0; an end past the recording is cut
    and noted.

    Args:
        skeletons (str | Path): Folder of the recordings, ``.txt``.
        labels (str | Path): Folder of the label files, of the same names.
        split_files (dict): The data set's own list of each protocol, such as
            ``dict(xsub='cross-subject.txt', xview='cross-view.txt')``.
        max_frames (int | None): Longer clips are skipped.
    """

    layout = 'nturgb+d'
    untracked = 'released'  # the released recipe's data
    classes = CLASSES

    def __init__(
        self,
        skeletons: str | Path,
        labels: str | Path,
        split_files: Mapping[str, str | Path] | None = None,
        max_frames: int | None = None,
    ) -> None:
        self.skeletons = str(skeletons)
        self.labels = str(labels)
        self.max_frames = max_frames
        # Not a public attribute: the clips do not depend on them.
        self._splits = {
            name: read_split_file(path) for name, path in (split_files or {}).items()
        }

    def clips(self) -> Iterator[Clip]:
        """The actions of all recordings, in the order of the label files."""
        for folder in (self.skeletons, self.labels):
            if not Path(folder).is_dir():
                raise ValueError(f'{folder} is not a folder.')
        paths = sorted(Path(self.skeletons).glob('*.txt'))
        recordings = {path.stem for path in paths}
        for name, parts in self._splits.items():
            for part, videos in parts.items():
                if recordings and not videos & recordings:
                    raise ValueError(
                        f'none of the {len(recordings)} recordings in {self.skeletons} '
                        f'is in {name}_{part}; take the list of the same phase.'
                    )
        for path in paths:
            label_file = Path(self.labels) / path.name
            if not label_file.is_file():
                yield Clip(path.stem, (str(path),), (f'no label file: {label_file}',))
                continue
            files = (str(path), str(label_file))
            try:
                rows = label_file.read_text(encoding='utf-8-sig').splitlines()
            except (OSError, UnicodeDecodeError) as error:
                yield Clip(path.stem, files, (f'bad label file: {error}',))
                continue
            for number, row in enumerate(rows, 1):
                if row.strip():
                    yield _clip_of(path.stem, files, number, row)

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read the lines of one action."""
        if len(clip.part) == 1:
            raise ValueError(clip.part[0])
        start, end, action = clip.part
        lines = _lines_of(stamp(clip.files[0]))
        if not lines:
            raise ValueError('empty: the recording holds nothing')
        if start >= len(lines):
            raise ValueError(
                f'interval outside the recording: frames {start} to {end} of '
                f'{len(lines)}'
            )
        numbers = _parse(lines[start:end], start + 1)
        keypoint = numbers.reshape(-1, 2, 25, 3).transpose(1, 0, 2, 3)
        video = Path(clip.files[0]).stem
        camera = video.rpartition('-')[2]
        return dict(
            keypoint=keypoint,
            label=action - 1,
            video=video,
            camera=camera if camera in ('L', 'M', 'R') else None,
            notes=['an end past the recording'] if end > len(lines) else [],
        )

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Those of the split files; all clips where there are none."""
        if not self._splits:
            return super().splits(samples)
        return {
            f'{name}_{part}': [s['frame_dir'] for s in samples if s['video'] in videos]
            for name, parts in self._splits.items()
            for part, videos in parts.items()
        }


def _clip_of(video: str, files: tuple[str, ...], number: int, row: str) -> Clip:
    """The clip of a row of a label file; the part of a bad clip is an error message."""
    match = re.fullmatch(r'\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*(?:,.*)?', row)
    if match is None:
        reason = f'bad label row: line {number} is {row[:40]!r}, not class,start,end'
        return Clip(f'{video}_line{number}', files, (reason,))
    action, start, end = map(int, match.groups())
    name = f'{video}_F{start:05d}-{end:05d}_A{action:02d}'
    if not 1 <= action <= len(CLASSES):
        return Clip(name, files, (f'unknown class: {action} in line {number}',))
    if end <= start:
        return Clip(name, files, (f'empty interval: frames {start} to {end}',))
    return Clip(name, files, (start, end, action))


@lru_cache(maxsize=1)  # the clips of a recording follow each other
def _lines_of(state: tuple) -> list[bytes]:
    text = Path(state[0]).read_bytes().rstrip()
    return text.split(b'\n') if text else []


def _parse(lines: list[bytes], first_line: int) -> np.ndarray:
    """The numbers of some lines, ``(lines, 150)``; empty lines are left out."""
    for number, line in enumerate(lines, first_line):
        if len(line.split()) not in (0, NUM_COLUMNS):
            raise ValueError(
                f'wrong number of columns: {len(line.split())} numbers in line '
                f'{number}, not {NUM_COLUMNS}'
            )
    try:
        return np.loadtxt(lines, comments=None, ndmin=2)
    except ValueError as error:
        raise ValueError(f'not a number: {error}') from error


def read_split_file(path: str | Path) -> dict[str, set[str]]:
    """Read a split file of PKU-MMD: a heading before each list of recordings.

    Args:
        path (str | Path): Such as ``cross-subject.txt``.

    Returns:
        dict: ``train`` and ``val``, the recordings of each.

    Raises:
        ValueError: If it does not have two such lists, or a recording is in both.
    """
    text = Path(path).read_text(encoding='utf-8-sig')
    # The second heading is misspelt in the released files.
    pieces = re.split(r'(?im)^[^\S\n]*(train|val|test)\w*\s+videos?\s*:', text)
    out: dict[str, set[str]] = {}
    for heading, names in zip(pieces[1::2], pieces[2::2], strict=True):
        part = 'train' if heading.lower() == 'train' else 'val'
        out.setdefault(part, set()).update(re.findall(r'[^\s,]+', names))
    if set(out) != {'train', 'val'} or not all(out.values()):
        raise ValueError(
            f'{path} is not a split file: it should list recordings after '
            "'Training videos:' and after 'Validation videos:'."
        )
    both = sorted(out['train'] & out['val'])
    if both:
        raise ValueError(f'{path}: {both[0]} is in both lists.')
    return out
