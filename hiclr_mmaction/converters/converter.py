"""The base of all converters.

A converter lists its clips and reads one; :func:`convert` does the rest: several
processes, a progress bar, checks, a report, an atomic write. A whole converter::

    class CsvFolder(SkeletonConverter):
        layout = 'kinect20'

        def __init__(self, folder):
            self.folder = Path(folder)

        def clips(self):
            for path in sorted(self.folder.glob('*.csv')):
                yield Clip(path.stem, (str(path),))

        def read(self, clip):
            rows = np.loadtxt(clip.files[0], delimiter=',', ndmin=2)
            if rows.shape[1] != 60:
                raise ValueError(f'wrong number of columns: {rows.shape[1]}, not 60')
            return dict(keypoint=rows.reshape(1, -1, 20, 3), label=int(clip.id[1:3]))

    convert(CsvFolder('data/csv'), 'data/mine.pkl')
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..annotations.prepared import Preparation
from ..skeleton.align import MAX_GAP

# Memory limit of a dense clip: this many bytes, or this many times the size of its file.
_MAX_BYTES = 256 * 2**20
_MAX_RATIO = 32


@dataclass(frozen=True)
class Clip:
    """A clip before it is read.

    Args:
        id (str): Its name in the result (``frame_dir``), unique.
        files (tuple[str]): The files it is read from.
        part (tuple): The part of the files, if they contain more than this clip, such as
            ``(start, end, label)``.
    """

    id: str
    files: tuple[str, ...]
    part: tuple = ()


class SkeletonConverter(ABC):
    """Lists clips and reads them. It is sent to worker processes.

    Attributes:
        layout (str | dict): The skeleton of the clips.
        num_person (int): Persons that an aligned clip has; missing ones are zeros.
        max_frames (int | None): Longer clips are skipped. None: no limit.
        classes (Sequence[str]): Names of the labels, if known.
        untracked (str): How ``--align`` handles frames without a person, as in
            :func:`~hiclr_mmaction.skeleton.align_clip`.
        max_gap (int): The longest gap of a person that ``--align`` interpolates, in frames.
        find_orientation (bool): Whether up axis and unit are estimated from the persons of
            some clips, if :meth:`read` does not know them.
        unit (float): Metres per usual unit of the files.
        preparation (Preparation | None): The alignment of clips that are stored aligned.
    """

    layout: str | dict = 'nturgb+d'
    num_person: int = 2
    max_frames: int | None = None
    classes: Sequence[str] = ()
    untracked: str = 'drop'
    max_gap: int = MAX_GAP
    find_orientation: bool = False
    unit: float = 1.0
    preparation: Preparation | None = None

    @abstractmethod
    def clips(self) -> Iterable[Clip]:
        """List the clips, in the same order in each run.

        Raises:
            ValueError: If there is nothing to convert, with the remedy.
        """

    @abstractmethod
    def read(self, clip: Clip) -> dict[str, Any]:
        """Read one clip.

        Returns:
            dict: ``keypoint`` ``(M, T, V, C)``. If ``C`` is 2, also ``keypoint_score``
            ``(M, T, V)``. If known, ``label`` (int), ``subject``, ``camera``, ``setup``
            and other plain values. ``notes`` (list[str]) for harmless irregularities.
            ``up`` and ``scale``, as in :class:`~hiclr_mmaction.skeleton.orientation.
            Orientation`, if up axis or unit of the file are known to differ from the
            converter's.
            :func:`convert` checks joints, NaN and length, and adds ``frame_dir`` and
            ``total_frames``.

        Raises:
            ValueError: Why the clip is skipped, as ``'kind: details'``. The report groups
                clips by kind. For any other exception the clip is skipped too, and the
                report gives its type.
        """

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Name the clips of each split.

        Args:
            samples (Sequence[dict]): The results of :meth:`read`, without keypoints.
        """
        return dict(all=[sample['frame_dir'] for sample in samples])

    def remarks(self, clips: Sequence[Clip]) -> list[str]:
        """Further remarks for the report, such as labels without clips.

        Args:
            clips (Sequence[Clip]): All clips of :meth:`clips`.
        """
        return []

    def settings(self) -> dict[str, Any]:
        """The settings for the report; by default all public attributes."""
        names = (
            'layout', 'num_person', 'max_frames', 'classes', 'untracked', 'max_gap',
        )  # fmt: skip
        public = {k: v for k, v in vars(self).items() if not k.startswith('_')}
        return {
            'converter': type(self).__name__,
            **{name: getattr(self, name) for name in names},
            **public,
        }


def require_regular(path: str | Path) -> None:
    """Check that a path is a regular file, because opening a pipe would block.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is not a regular file.
    """
    if not os.path.isfile(path):
        if not os.path.exists(path):
            raise FileNotFoundError(f'{path} does not exist')
        raise ValueError('not a regular file: it is a folder, a pipe or a device')


def memory_limit(num_bytes: int) -> int:
    """Limit of the memory for the content of a file of this size, in bytes."""
    return max(_MAX_BYTES, _MAX_RATIO * num_bytes)


def blank(shape: Sequence[int], path: str | Path) -> np.ndarray:
    """Zeros for a clip, unless they take far more memory than its file.

    Args:
        shape (Sequence[int]): ``(M, T, V, C)``.
        path (str | Path): The file of the clip.

    Raises:
        ValueError: If the clip is too large: a frame or person number is probably wrong.
    """
    size = 8
    for length in shape:
        size *= int(length)
    if size > memory_limit(os.path.getsize(path)):
        persons, frames = (int(length) for length in shape[:2])
        raise ValueError(
            f'too large: {persons} persons and {frames} frames would take '
            f'{size / 2**20:,.0f} MB; check the numbers of frames and persons'
        )
    return np.zeros(shape)


def stamp(file: str | Path) -> tuple:
    """A key of the file and its state, for caches."""
    try:
        status = os.stat(file)
    except OSError:
        return (str(file),)
    return str(file), status.st_size, status.st_mtime_ns


def split_by(
    samples: Sequence[Mapping[str, Any]], key: str, train: Collection, name: str
) -> dict[str, list[str]]:
    """Split clips by a value such as the subject.

    Args:
        samples (Sequence[dict]): As in :meth:`SkeletonConverter.splits`.
        key (str): ``'subject'``, ``'camera'``, ...
        train (Collection): The values of the training clips.
        name (str): Name of the protocol, such as ``'xsub'``.

    Returns:
        dict: ``{name}_train`` and ``{name}_val``, with all clips that have the key.
    """
    train = set(train)
    out: dict[str, list[str]] = {f'{name}_train': [], f'{name}_val': []}
    for sample in samples:
        if sample.get(key) is not None:
            part = 'train' if sample[key] in train else 'val'
            out[f'{name}_{part}'].append(sample['frame_dir'])
    return out
