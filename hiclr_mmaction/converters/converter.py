"""What every converter of skeletons has in common.

A converter lists its clips and reads one; :func:`~.convert.convert` does the rest: all
cores, a progress bar, the summary, the result at once or not at all. A whole converter::

    class CsvFolder(SkeletonConverter):
        layout = 'kinect20'

        def __init__(self, folder):
            self.folder = str(folder)

        def clips(self):
            for path in sorted(Path(self.folder).glob('*.csv')):
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

from ..annotations.prepared import Preparation


@dataclass(frozen=True)
class Clip:
    """A clip before it is read.

    Args:
        id (str): Its name in the result (``frame_dir``); one clip has it.
        files (tuple[str]): The files it is read from. It is read again when one of
            them changes.
        part (tuple): What of the files it is, where they hold more than the clip,
            such as ``(start, end, label)``. Strings and numbers only.
    """

    id: str
    files: tuple[str, ...]
    part: tuple = ()


class SkeletonConverter(ABC):
    """Where clips come from. Plain attributes only: it is sent to worker processes.

    Attributes:
        layout (str | dict): The skeleton of the clips.
        num_person (int): Persons that an aligned clip has; missing ones are zeros.
        max_frames (int | None): Longer clips are left out. None: there is no limit.
        classes (Sequence[str]): Names of the labels, where known.
        untracked (str): What ``--align`` does about frames without a person, as in
            :func:`~hiclr_mmaction.skeleton.align_clip`.
        preparation (Preparation | None): Of clips that are aligned in the converter.
    """

    layout: str | dict = 'nturgb+d'
    num_person: int = 2
    max_frames: int | None = None
    classes: Sequence[str] = ()
    untracked: str = 'drop'
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
            dict: ``keypoint`` ``(M, T, V, C)``, which becomes float32, with
            ``keypoint_score`` ``(M, T, V)`` where ``C`` is 2; ``label`` (int) where there
            is one; ``subject``, ``camera``, ``setup`` and other plain
            values where known; ``notes`` (list[str]) for what is odd about the file
            and does no harm. The runner checks joints, NaN, length and that someone
            is there, and adds ``frame_dir`` and ``total_frames``.

        Raises:
            ValueError: Why the clip is left out, as ``'kind: details'``. The summary
                counts by kind, so keep it the same from clip to clip.
            OSError: If a file cannot be read; the clip is left out too.
        """

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Name the clips of each split.

        Args:
            samples (Sequence[dict]): What :meth:`read` gave of the clips in the
                result, without their keypoints.
        """
        return dict(all=[sample['frame_dir'] for sample in samples])

    def settings(self) -> dict[str, Any]:
        """What the clips depend on besides their files; by default all attributes.

        Finished parts of a stopped run are used again if this is the same.
        """
        names = ('layout', 'num_person', 'max_frames', 'classes', 'untracked')
        public = {k: v for k, v in vars(self).items() if not k.startswith('_')}
        return {
            'converter': type(self).__name__,
            **{name: getattr(self, name) for name in names},
            **public,
        }


def stamp(file: str | Path) -> tuple:
    """Tell a file from another state of it; also as the key of what is kept of it."""
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
