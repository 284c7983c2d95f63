"""Folders of files whose names contain action, subject, take, ..."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .converter import Clip, SkeletonConverter, split_by


class SetFolder(SkeletonConverter):
    """A data set in its original format.

    Args:
        folder (str | Path): The folder of the files; subfolders are included.
        max_frames (int, optional): Longer clips are skipped.

    Attributes:
        leaves_one_out (bool): Whether there are also splits that leave out one subject
            each, for sets without a published protocol by odd and even subjects.
    """

    leaves_one_out = False

    def __init__(self, folder: str | Path, max_frames: int | None = None) -> None:
        self.folder = str(folder)
        self.max_frames = max_frames

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """``xsub_train``, odd subjects, and ``xsub_val``; perhaps ``loso01_train``, ..."""
        out = split_by(samples, 'subject', range(1, 100, 2), 'xsub')
        if not self.leaves_one_out:
            return out
        values = sorted({sample['subject'] for sample in samples})
        for value in values:
            rest = [other for other in values if other != value]
            out.update(split_by(samples, 'subject', rest, f'loso{value:02d}'))
        return out


class NamedFolder(SetFolder):
    """Base of the converters of such folders.

    Attributes:
        suffix (str): Suffix of the files, with its dot.
        pattern (re.Pattern): Pattern of their names, with the groups ``id`` (the clip's
            name), ``action`` and others such as ``subject``, which clips get as numbers.
        actions (dict[int, str]): Names of the actions by their numbers in file names.
    """

    layout = 'kinect20'
    num_person = 1
    suffix: str
    pattern: re.Pattern
    actions: Mapping[int, str]

    def __init__(self, folder: str | Path, max_frames: int | None = None) -> None:
        super().__init__(folder, max_frames)
        self.classes = tuple(self.actions.values())

    def clips(self) -> Iterator[Clip]:
        """All files whose name fits the pattern."""
        for path in sorted(Path(self.folder).rglob(f'*{self.suffix}')):
            if match := self.pattern.fullmatch(path.stem):
                yield Clip(match['id'], (str(path),))

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read a file. Label and subject are taken from its name."""
        path = Path(clip.files[0])
        match = self.pattern.fullmatch(path.stem)
        assert match is not None  # clips() lists no others
        numbers = {k: int(v) for k, v in match.groupdict().items() if k != 'id'}
        label = label_of(numbers.pop('action'), self.actions)
        return dict(self.read_file(path), label=label, **numbers)

    @abstractmethod
    def read_file(self, path: Path) -> dict[str, Any]:
        """Read ``keypoint`` and other values in the file."""


def label_of(action: int, actions: Mapping[int, str]) -> int:
    """The label of an action; its number in the data set may start at 1 or have gaps.

    Raises:
        ValueError: If there is no such action.
    """
    if action not in actions:
        raise ValueError(f'unknown action: {action} is not one of {len(actions)}')
    return list(actions).index(action)


def read_numbers(path: str | Path, *shape: int) -> np.ndarray:
    """The numbers of a text file between blanks or commas, as ``(T, *shape)``.

    Raises:
        ValueError: If it contains something else, or the numbers do not fill the array.
    """
    text = Path(path).read_text(encoding='utf-8-sig')
    try:
        numbers = np.array(text.replace(',', ' ').split(), dtype=np.float64)
    except ValueError as error:
        raise ValueError(f'not a number: {error}') from error
    frame = int(np.prod(shape))
    if not numbers.size or numbers.size % frame:
        raise ValueError(f'truncated: {numbers.size} numbers, not {frame} a frame')
    return numbers.reshape(-1, *shape)


def one_person(joints: np.ndarray) -> dict[str, Any]:
    """``keypoint`` of the frames ``(T, V, 3)`` with a person, and a note about others."""
    tracked = joints.any(axis=(1, 2))
    notes = [] if tracked.all() else ['frames without a person, left out']
    return dict(keypoint=joints[tracked][None], notes=notes)
