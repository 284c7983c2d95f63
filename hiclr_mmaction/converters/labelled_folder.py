"""A folder with one file a clip, and a table that says what each of them is."""

from __future__ import annotations

import csv
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .converter import Clip, SkeletonConverter, split_by


class LabelledFolder(SkeletonConverter):
    """The files of a folder and its subfolders, one clip each.

    A clip is called as its file is, without the suffix, with the subfolder before it
    (``run/01``). The table is a CSV with a header: ``clip`` (the name, or the file's),
    ``label`` (a number from 0 on, or a word; words are numbered in their order), and if
    wanted ``subject`` and ``split`` (``train``, ``val``, ...). Without a table clips
    have no labels, which pre-training does not need.

    Args:
        folder (str | Path): Where the files are.
        labels (str | Path, optional): The table.
        val_subjects (Sequence[str]): Subjects that are not trained on, for the splits
            ``xsub_train`` and ``xsub_val``. Needs the column ``subject``.

    Raises:
        FileNotFoundError: If the table is not there.
        ValueError: If it lacks a column, or has a clip twice.
    """

    suffixes: tuple[str, ...] = ()

    def __init__(
        self,
        folder: str | Path,
        labels: str | Path | None = None,
        val_subjects: Sequence[str] = (),
    ) -> None:
        self.folder = str(folder)
        self.labels = None if labels is None else str(labels)
        self.val_subjects = [str(subject) for subject in val_subjects]
        self._table = {} if labels is None else _read_table(Path(labels))
        self.classes = _number_labels(self._table)
        subjects = {str(row.get('subject')) for row in self._table.values()}
        unknown = sorted(set(self.val_subjects) - subjects)
        if unknown:
            raise ValueError(
                f'val_subjects={unknown} are in no row of the labels; the column '
                f'subject has {", ".join(sorted(subjects - {"None"})) or "nobody"}.'
            )

    def clips(self) -> Iterator[Clip]:
        """All files with a known suffix, by name."""
        folder = Path(self.folder)
        if not folder.is_dir():
            raise FileNotFoundError(
                f'{folder} is no folder; name the one with the clips.'
            )
        table = None if self.labels is None else Path(self.labels).resolve()
        for path in sorted(folder.rglob('*')):
            if path.suffix.lower() in self.suffixes and path.resolve() != table:
                name = path.relative_to(folder).with_suffix('').as_posix()
                # The table too: with another label a clip is read again.
                yield Clip(name, (str(path), *([self.labels] if self.labels else ())))

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read a file, and what the table says of it."""
        facts: Mapping[str, Any] = {}
        if self.labels is not None:
            found = self._table.get(clip.id) or self._table.get(Path(clip.id).name)
            if found is None:
                raise ValueError(f'not in the labels: {self.labels} has no such clip')
            facts = found
        return dict(facts, **self.read_file(Path(clip.files[0])))

    @abstractmethod
    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file: ``keypoint`` and what else :meth:`read` may tell."""

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Those of the table's column, those by subject, or else ``all``."""
        out: dict[str, list[str]] = {}
        for sample in samples:
            if sample.get('split') is not None:
                out.setdefault(sample['split'], []).append(sample['frame_dir'])
        if self.val_subjects:
            train = {str(sample.get('subject')) for sample in samples}
            named = [
                dict(sample, subject=str(sample['subject']))
                for sample in samples
                if sample.get('subject') is not None
            ]
            out.update(
                split_by(named, 'subject', train - set(self.val_subjects), 'xsub')
            )
        return out or super().splits(samples)


def _read_table(path: Path) -> dict[str, dict[str, Any]]:
    """Rows of the table by clip."""
    with open(path, encoding='utf-8-sig', newline='') as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        missing = {'clip', 'label'} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(
                f'labels={str(path)!r} has no column {", ".join(sorted(missing))}; its '
                'first line should be clip,label or clip,label,subject,split.'
            )
        rows = list(reader)
    out: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = Path(row['clip'].strip())
        key = name.as_posix()
        if name.suffix.lower() in ('.csv', '.npy', '.json', '.bvh'):
            key = name.with_suffix('').as_posix()
        if key in out:
            raise ValueError(
                f'labels={str(path)!r} has clip {key!r} twice; keep one row.'
            )
        kept = ('label', 'subject', 'split')
        out[key] = {
            k: _plain(row[k].strip(), k) for k in kept if (row.get(k) or '').strip()
        }
    return out


def _plain(text: str, key: str) -> str | int:
    """Whole numbers as such, but for the names of splits."""
    return int(text) if key != 'split' and text.lstrip('-').isdigit() else text


def _number_labels(table: dict[str, dict[str, Any]]) -> list[str]:
    """Put numbers in the place of words; returns the words in their order."""
    labels = [row['label'] for row in table.values() if 'label' in row]
    if all(isinstance(label, int) for label in labels):
        return []
    classes = sorted({str(label) for label in labels})
    for row in table.values():
        if 'label' in row:
            row['label'] = classes.index(str(row['label']))
    return classes


def kept_axes(channels: int, coordinates: str) -> list[int]:
    """Which of the columns of a joint are its coordinates.

    Args:
        channels (int): 2: ``x y``; 3: what the layout's coordinates are; 4: ``x y z``
            and a score (MediaPipe's visibility).
        coordinates (str): The layout's, ``'3d'`` or ``'2d'``.

    Raises:
        ValueError: If there are too few or too many.
    """
    if channels == 4:
        return [0, 1, 2] if coordinates == '3d' else [0, 1, 3]
    if channels == 3 or (channels == 2 and coordinates == '2d'):
        return list(range(channels))
    raise ValueError(
        f'wrong number of coordinates: {channels} a joint, for a layout of {coordinates}'
    )


def scale_image(keypoint: np.ndarray, size: Sequence[float] | None) -> np.ndarray:
    """Coordinates as parts of the picture's width and height, to pixels."""
    if size is None:
        return keypoint
    keypoint = np.array(keypoint, dtype=np.float64)
    keypoint[..., :2] *= np.asarray(size, dtype=np.float64)
    return keypoint
