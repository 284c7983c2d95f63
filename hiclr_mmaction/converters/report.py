"""The summary of a conversion on the screen, and its report file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..annotations.clip_checks import describe_counts
from ..atomic_write import write_text

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Report:
    """Counts of a conversion.

    Attributes:
        out (str): The result.
        settings (dict): The settings of the conversion.
        clips, persons, frames (int): Numbers of clips, persons and frames that were read.
        splits (dict): Clips of each split.
        per_class, per_subject (dict): Clips of each label and subject.
        skipped (list[dict]): ``clip``, ``file`` and ``reason`` of each skipped clip.
        ignored (int): Clips in the list ``ignore``.
        notes (dict): Irregularities of files that were read, with their counts.
        untracked (dict): Numbers of dropped and interpolated frames and joints, see
            :meth:`~hiclr_mmaction.skeleton.Tracking.counts`.
        remarks (list[str]): Remarks of the converter, such as labels without clips.
        seconds (float): Wall time.
    """

    out: str
    settings: dict[str, Any]
    clips: int = 0
    persons: int = 0
    frames: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    per_class: dict[str, int] = field(default_factory=dict)
    per_subject: dict[str, int] = field(default_factory=dict)
    skipped: list[dict[str, str]] = field(default_factory=list)
    ignored: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    untracked: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        out: str | Path,
        settings: Mapping[str, Any],
        samples: Sequence[Mapping[str, Any]],
        facts: Sequence[Mapping[str, Any]],
        split: Mapping[str, Sequence[str]],
        classes: Sequence[str] = (),
        **others: Any,
    ) -> Report:
        """Count.

        Args:
            out, settings: As above.
            samples (Sequence[dict]): The clips without their keypoints.
            facts (Sequence[dict]): ``persons``, ``frames``, ``notes`` and ``untracked`` of
                each.
            split (dict): The names of the clips of each split.
            classes (Sequence[str]): Names of the labels, where known.
            **others: ``skipped``, ``ignored``, ``remarks``.
        """
        labels = Counter(s['label'] for s in samples if s.get('label') is not None)
        subjects = Counter(
            s['subject'] for s in samples if s.get('subject') is not None
        )
        return cls(
            str(out),
            dict(settings),
            clips=len(samples),
            persons=sum(fact['persons'] for fact in facts),
            frames=sum(fact['frames'] for fact in facts),
            splits={name: len(names) for name, names in split.items()},
            per_class={
                _class_name(label, classes): labels[label] for label in sorted(labels)
            },
            per_subject={str(s): subjects[s] for s in sorted(subjects, key=_number)},
            notes=dict(Counter(note for fact in facts for note in fact['notes'])),
            untracked=dict(sum((Counter(f['untracked']) for f in facts), Counter())),
            **others,
        )

    @property
    def path(self) -> Path:
        """The report file: beside the result."""
        return Path(f'{self.out}.report.json')

    @property
    def reasons(self) -> dict[str, int]:
        """Numbers of skipped clips, by kind of reason."""
        kinds = Counter(entry['reason'].split(':')[0] for entry in self.skipped)
        return dict(kinds.most_common())

    def write(self) -> None:
        """Write the report file atomically."""
        content = dict(asdict(self), reasons=self.reasons)
        text = json.dumps(content, indent=1, ensure_ascii=False, default=str)
        write_text(text + '\n', self.path)

    def print(self, console: Console | None = None) -> None:
        """Print the summary."""
        from rich.console import Console  # reading single clips needs none
        from rich.markup import escape
        from rich.table import Table

        console = console or Console()
        table = Table(show_header=False, title=escape(self.out), title_justify='left')
        rows = dict(
            clips=self.clips,
            persons=self.persons,
            frames=self.frames,
            **{f'split {name}': count for name, count in self.splits.items()},
        )
        for name, value in rows.items():
            table.add_row(escape(name), f'{value:,}' if value else '[yellow]0[/]')
        for name, counts in [('class', self.per_class), ('subject', self.per_subject)]:
            if counts:
                text = '  '.join(f'{key}: {count}' for key, count in counts.items())
                table.add_row(f'per {name} ({len(counts)})', escape(text))
        for note, count in self.notes.items():
            table.add_row('note', f'{count:,} read with {escape(note)}')
        if self.untracked:
            table.add_row('note', f'alignment {describe_counts(self.untracked)}')
        if self.ignored:
            table.add_row('ignored', f'{self.ignored:,} of the list')
        for kind, count in self.reasons.items():
            example = next(
                entry['clip']
                for entry in self.skipped
                if entry['reason'].split(':')[0] == kind
            )
            table.add_row(
                '[yellow]left out[/]',
                f'[yellow]{count:,} {escape(kind)}[/] (such as {escape(example)})',
            )
        for remark in self.remarks:
            table.add_row('[yellow]note[/]', escape(remark))
        console.print(table)
        console.print(f'report: {escape(str(self.path))}', soft_wrap=True)


def _class_name(label: int, classes: Sequence[str]) -> str:
    known = 0 <= label < len(classes)
    return f'{label} {classes[label]}' if known else str(label)


def _number(value: Any) -> tuple:
    """Numbers in numerical order, then words in alphabetical order."""
    return (isinstance(value, str), value)
