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

# A dense clip may take this much memory, or so many times the size of its file.
_MAX_BYTES = 256 * 2**20
_MAX_RATIO = 32


@dataclass(frozen=True)
class Clip:
    """A clip before it is read.

    Args:
        id (str): Its name in the result (``frame_dir``), unique.
        files (tuple[str]): The files it is read from.
        part (tuple): What of the files it is, where they hold more than the clip,
            such as ``(start, end, label)``.
    """

    id: str
    files: tuple[str, ...]
    part: tuple = ()


class SkeletonConverter(ABC):
    """Lists clips and reads them. It is sent to worker processes.

    Attributes:
        layout (str | dict): The skeleton of the clips.
        num_person (int): Persons that an aligned clip has; missing ones are zeros.
        max_frames (int | None): Longer clips are left out. None: no limit.
        classes (Sequence[str]): Names of the labels, where known.
        untracked (str): What ``--align`` does about frames without a person, as in
            :func:`~hiclr_mmaction.skeleton.align_clip`.
        max_gap (int): Up to how many frames it interpolates a lost person.
        find_orientation (bool): Whether up axis and unit are to be found by the persons
            of some clips, where :meth:`read` does not know them.
        unit (float): Metres in the usual unit of the files.
        preparation (Preparation | None): How the clips are aligned already, if they are.
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
        """List the clips, in an order that does not change from run to run.

        Raises:
            ValueError: If there is nothing to convert, with the remedy.
        """

    @abstractmethod
    def read(self, clip: Clip) -> dict[str, Any]:
        """Read one clip.

        Returns:
            dict: ``keypoint`` ``(M, T, V, C)``. If ``C`` is 2, also ``keypoint_score``
            ``(M, T, V)``. If known, ``label`` (int), ``subject``, ``camera``, ``setup``
            and other plain values. ``notes`` (list[str]) for oddities that do no harm.
            ``up`` and ``scale``, as of :class:`~hiclr_mmaction.skeleton.orientation.
            Orientation`, if the file is known to have another up axis or unit than the
            converter's.
            :func:`convert` checks joints, NaN and length, and adds ``frame_dir`` and
            ``total_frames``.

        Raises:
            ValueError: Why the clip is left out, as ``'kind: details'``. The report
                counts by kind, so keep it the same from clip to clip. Any other
                exception leaves the clip out too, and is reported with its type.
        """

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Name the clips of each split.

        Args:
            samples (Sequence[dict]): What :meth:`read` gave of the clips in the
                result, without their keypoints.
        """
        return dict(all=[sample['frame_dir'] for sample in samples])

    def remarks(self, clips: Sequence[Clip]) -> list[str]:
        """What the report should say besides, such as labels without clips.

        Args:
            clips (Sequence[Clip]): All that :meth:`clips` gave.
        """
        return []

    def settings(self) -> dict[str, Any]:
        """The settings that the report shows; by default all public attributes."""
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
    """Refuse pipes, devices and folders before opening: a pipe would block.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is not a regular file.
    """
    if not os.path.isfile(path):
        if not os.path.exists(path):
            raise FileNotFoundError(f'{path} does not exist')
        raise ValueError('not a regular file: it is a folder, a pipe or a device')


def memory_limit(num_bytes: int) -> int:
    """Bytes that the content of a file of so many may take when it is read whole."""
    return max(_MAX_BYTES, _MAX_RATIO * num_bytes)


def blank(shape: Sequence[int], path: str | Path) -> np.ndarray:
    """Zeros for a clip, unless they take far more memory than its file justifies.

    Args:
        shape (Sequence[int]): ``(M, T, V, C)``.
        path (str | Path): The file that asks for it.

    Raises:
        ValueError: If it is too large. A frame or person number is probably wrong.
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
        samples (Sequence[dict]): Clips as :meth:`SkeletonConverter.splits` gets them.
        key (str): ``'subject'``, ``'camera'``, ...
        train (Collection): The values of the training clips.
        name (str): Name of the protocol, such as ``'xsub'``.

    Returns:
        dict: ``{name}_train`` and ``{name}_val``, of the clips that have the key.
    """
    train = set(train)
    out: dict[str, list[str]] = {f'{name}_train': [], f'{name}_val': []}
    for sample in samples:
        if sample.get(key) is not None:
            part = 'train' if sample[key] in train else 'val'
            out[f'{name}_{part}'].append(sample['frame_dir'])
    return out
