"""A folder with one file per clip, and a table of labels."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .converter import Clip, SkeletonConverter, require_regular, split_by

_COLUMNS = ('clip', 'label', 'subject', 'split')


class LabelledFolder(SkeletonConverter):
    """The files of a folder and its subfolders, one clip each.

    The name of a clip is the path of its file in the folder, without the suffix
    (``run/01``). The table is a CSV with a header: ``clip`` (name of the clip or file),
    ``label`` (a number from 0, or a word; words are numbered in alphabetical order), and
    optionally ``subject`` and ``split`` (``train``, ``val``, ...). Without a table clips
    have no labels; pre-training needs none.

    Args:
        folder (str | Path): The folder of the files.
        labels (str | Path, optional): The table.
        val_subjects (Sequence[str]): Subjects for validation, for the splits
            ``xsub_train`` and ``xsub_val``. Needs the column ``subject``.

    Raises:
        FileNotFoundError: If the table does not exist.
        ValueError: If it lacks a column, has a clip twice, or its labels are unusable.
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
        self.val_subjects = [_number(str(subject)) for subject in val_subjects]
        self._table = {} if labels is None else _read_table(Path(labels), self.suffixes)
        self.classes = _number_labels(self._table, self.labels)
        subjects = {row['subject'] for row in self._table.values() if 'subject' in row}
        unknown = [subject for subject in self.val_subjects if subject not in subjects]
        if unknown:
            known = ', '.join(map(str, sorted(subjects, key=_order))) or 'nobody'
            raise ValueError(
                f'val_subjects={unknown} are in no row of the labels; the column '
                f'subject has {known}.'
            )

    def files(self) -> Iterable[tuple[str, list[Path]]]:
        """Each clip's name and files: all files with a known suffix, by name."""
        table = None if self.labels is None else Path(self.labels).resolve()
        for path in sorted(Path(self.folder).rglob('*')):
            if path.suffix.lower() in self.suffixes and path.resolve() != table:
                yield path.relative_to(self.folder).with_suffix('').as_posix(), [path]

    def clips(self) -> list[Clip]:
        """All clips, by name."""
        folder = Path(self.folder)
        if not folder.is_dir():
            raise FileNotFoundError(
                f'{folder} is not a folder; name that of the clips.'
            )
        clips = [Clip(name, tuple(map(str, paths))) for name, paths in self.files()]
        if not clips:
            others = Counter(
                path.suffix for path in folder.rglob('*') if path.is_file()
            )
            found = ', '.join(f'{n} {suffix}' for suffix, n in others.most_common(8))
            raise ValueError(
                f'{folder} holds no file that ends in {", ".join(self.suffixes)}; it '
                f'holds {found or "no file"}.'
            )
        self._check_bare_names(clips)
        return clips

    def _check_bare_names(self, clips: Sequence[Clip]) -> None:
        """Raise a ValueError if a row fits clips of several subfolders."""
        bare: dict[str, list[str]] = {}
        for clip in clips:
            name = Path(clip.id).name
            if clip.id not in self._table and name in self._table:
                bare.setdefault(name, []).append(clip.id)
        for name, ids in bare.items():
            if len(ids) > 1:
                raise ValueError(
                    f'labels={self.labels!r}: clip {name!r} may be any of '
                    f'{", ".join(ids[:4])}; write the folder before the name.'
                )

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read the file, and its row in the table."""
        row: dict[str, Any] = {}
        if self.labels is not None:
            if (key := self._key(clip)) is None:
                raise ValueError(f'not in the labels: {self.labels} has no such clip')
            row = self._table[key]
        sample = self.read_files([Path(file) for file in clip.files])
        # The label of the table overrides that of the file.
        if row.get('label') is not None:
            sample.pop('label', None)
        return dict(row, **sample)

    def read_files(self, paths: Sequence[Path]) -> dict[str, Any]:
        """Read the files of a clip; returns the same as :meth:`read`, without labels."""
        (path,) = paths
        return self.read_file(path)

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read the file of a clip."""
        raise NotImplementedError

    def _key(self, clip: Clip) -> str | None:
        """The table's row of a clip."""
        names = (clip.id, Path(clip.id).name)
        return next((name for name in names if name in self._table), None)

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """The splits of the table, the splits by subject, or else ``all``."""
        named = sorted({row['split'] for row in self._table.values() if 'split' in row})
        out: dict[str, list[str]] = {name: [] for name in named}
        for sample in samples:
            if sample.get('split') is not None:
                out[sample['split']].append(sample['frame_dir'])
        if self.val_subjects:
            subjects = {sample.get('subject') for sample in samples}
            train = subjects - set(self.val_subjects)
            out.update(split_by(samples, 'subject', train, 'xsub'))
        return out or super().splits(samples)

    def remarks(self, clips: Sequence[Clip]) -> list[str]:
        """Labels without clips, and labels that do not start at 0."""
        out = []
        used = {self._key(clip) for clip in clips}
        unused = [name for name in self._table if name not in used]
        if unused:
            more = f' and {len(unused) - 4} more' if len(unused) > 4 else ''
            out.append(f'labels without a clip: {", ".join(unused[:4])}{more}')
        labels = {row['label'] for row in self._table.values() if 'label' in row}
        absent = sorted(set(range(max(labels, default=-1) + 1)) - labels)
        if absent:
            out.append(
                f'{max(labels) + 1} classes, counted from 0; none is labelled '
                f'{", ".join(map(str, absent[:4]))}'
            )
        return out


def _read_table(path: Path, suffixes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Rows of the table by clip."""
    require_regular(path)
    data = path.read_bytes()
    encoding = 'utf-16' if data[:2] in (b'\xff\xfe', b'\xfe\xff') else 'utf-8-sig'
    try:
        lines = data.decode(encoding).splitlines()
        delimiter = max(',;\t', key=lines[0].count) if lines else ','
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f'labels={str(path)!r} is not CSV: {error}') from error
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    missing = [name for name in ('clip', 'label') if name not in head]
    if missing:
        raise ValueError(
            f'labels={str(path)!r} has no column {", ".join(missing)}; its first line '
            'should be clip,label or clip,label,subject,split.'
        )
    out: dict[str, dict[str, Any]] = {}
    names = Counter[str]()
    for row in rows[1:]:
        cells = {
            key: cell.strip()
            for key, cell in zip(head, row, strict=False)
            if cell.strip()
        }
        if 'clip' not in cells:
            continue
        name = Path(cells.pop('clip').replace('\\', '/'))
        if name.suffix.lower() in (*suffixes, '.csv', '.npy', '.json', '.bvh'):
            name = name.with_suffix('')
        names[name.as_posix()] += 1
        out[name.as_posix()] = {
            key: _number(cells[key]) if key != 'split' else cells[key]
            for key in _COLUMNS
            if key in cells
        }
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        more = f' and {len(twice) - 6} more' if len(twice) > 6 else ''
        raise ValueError(
            f'labels={str(path)!r} has more than one row for {", ".join(twice[:6])}'
            f'{more}; keep one row of each.'
        )
    return out


def _number(text: str) -> str | int:
    """Whole numbers as such (``02`` and ``2.0`` are 2), other text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 1e9 else text


def _order(value: str | int) -> tuple:
    """Numbers in numerical order, then words in alphabetical order."""
    return isinstance(value, str), value


def _number_labels(table: dict[str, dict[str, Any]], path: str | None) -> list[str]:
    """Replace words by numbers; returns the words in alphabetical order.

    Raises:
        ValueError: If numbers and words are mixed, or a number is below 0.
    """
    for row in table.values():
        if row.get('label') == -1:  # there is none
            del row['label']
    labels = sorted(
        {row['label'] for row in table.values() if 'label' in row}, key=_order
    )
    words = [label for label in labels if isinstance(label, str)]
    if not words:
        if labels and labels[0] < 0:
            raise ValueError(
                f'labels={path!r}: label {labels[0]} is below 0; count them from 0, and '
                'leave out or write -1 where there is none.'
            )
        return []
    if len(words) < len(labels):
        raise ValueError(
            f'labels={path!r} mixes numbers and words as labels ({labels[0]}, '
            f'{words[0]}); use one of them.'
        )
    for row in table.values():
        if 'label' in row:
            row['label'] = words.index(row['label'])
    return words
