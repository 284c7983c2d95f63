"""Inspection of pose pickles."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..skeleton import LAYOUTS, SkeletonLayout, get_layout, track
from ..skeleton.orientation import (
    MAX_BONE_RATIO,
    body_height,
    bone_ratio,
    find_up,
    long_bones,
    planar_remedy,
    unit_problem,
    up_problem,
)
from .clip_checks import (
    array_shape,
    clip_problems,
    counterparts,
    describe_counts,
    join_score,
    pose_content,
    sample_label,
    sample_name,
    short,
    split_name,
    split_overlaps,
)
from .prepared import Preparation
from .safe_pickle import load_pickle
from .sides import Sides

# Part of the clips that must agree before left and right are called exchanged.
_AGREEING = 0.8
_FEW_FRAMES = 8
_OFTEN = 0.3
# Errors that do not prevent checks of a clip's coordinates.
_HARMLESS = {
    'clip without a name', 'label is not an integer', 'label out of range',
    'total_frames is not the number of frames',
}  # fmt: skip


@dataclass
class Finding:
    """An error or warning about a file.

    Attributes:
        severity (str): ``'error'`` or ``'warning'``.
        kind (str): The problem in a few words, the same for all clips.
        message (str): Details of the first clip with this problem.
        count (int): Number of clips with this problem.
    """

    severity: str
    kind: str
    message: str
    count: int = 1


@dataclass
class Inspection:
    """The result of an inspection.

    Attributes:
        path (str): The file.
        layout (SkeletonLayout | None): Its skeleton; None if unknown.
        facts (dict[str, str]): Its content, in words.
        findings (list[Finding]): Errors and warnings.
        annotations (list[dict]): Its clips.
    """

    path: str
    layout: SkeletonLayout | None = None
    facts: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    annotations: list[dict] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """The errors. A file with errors should not be used for training."""
        return [finding for finding in self.findings if finding.severity == 'error']

    def find(self, severity: str, kind: str, message: str) -> None:
        """Add a finding, or count one of the same kind."""
        for finding in self.findings:
            if (finding.severity, finding.kind) == (severity, kind):
                finding.count += 1
                return
        self.findings.append(Finding(severity, kind, message))


def inspect_pickle(
    path: str | Path, layout: str | Mapping | SkeletonLayout | None = None
) -> Inspection:
    """Read a pose pickle and check it.

    Errors are clips that cannot be used (other joints than the layout's, NaN, nobody in
    them, ``total_frames`` or scores that do not fit), names that are doubled or missing,
    splits that name clips that are not there or share clips between training and
    evaluation, labels outside the classes, and left and right exchanged. Warnings are
    persons without a joint, clips in no split, classes without a clip, classes that are
    evaluated and not trained.

    Args:
        path (str | Path): The file.
        layout (str | dict | SkeletonLayout, optional): Its skeleton. None: what the
            file says, or else the known one with as many joints.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a pickle of plain data, or the layout is unknown.
    """
    out = Inspection(str(path))
    try:
        out.annotations, splits, head = pose_content(load_pickle(path), str(path))
    except ValueError as error:
        if not str(error).startswith(f'{path} is not a pose pickle'):
            raise
        out.find('error', 'not a pose pickle', str(error))
        return out
    if not out.annotations:
        out.find('error', 'no clip', 'annotations is empty.')
        return out
    shapes = [array_shape(clip.get('keypoint')) for clip in out.annotations]
    given = layout if layout is not None else head.get('layout')
    out.layout = _find_layout(out, given, shapes)
    try:
        Preparation.read(head.get('prepared'), str(path))
    except ValueError as error:
        out.find('error', 'prepared is not known', str(error))
    _check_clips(out, head)
    names = [split_name(clip) for clip in out.annotations]
    _check_names(out, names)
    _check_splits(out, splits, names)
    _check_labels(out, splits, head['classes'])
    out.facts.update(_facts(out, head.get('prepared'), splits, shapes))
    return out


def _find_layout(
    out: Inspection,
    given: str | Mapping | SkeletonLayout | None,
    shapes: Sequence[tuple[int, ...]],
) -> SkeletonLayout | None:
    if given is not None:
        return get_layout(given)
    shape = Counter(shape[2:] for shape in shapes).most_common(1)[0][0]
    known = [known for known in LAYOUTS.values() if shape[:1] == (known.num_joints,)]
    sample = out.annotations[:50]
    # A third number that is not a score is z.
    for candidate in sorted(known, key=lambda known: known.coordinates):
        unfit = sum(
            problem.kind in ('scores out of range', 'wrong number of coordinates')
            for clip in sample
            for problem in clip_problems(clip, candidate, 0)
        )
        if unfit <= len(sample) / 2:
            out.facts['layout'] = f'{candidate.name} (guessed from {shape[0]} joints)'
            return candidate
    out.find(
        'warning',
        'unknown layout',
        f'the file does not say its layout, and no known one has {_some(shape[:1])} '
        'joints; give it (--layout) to have joints, left and right checked.',
    )
    return None


def _check_clips(out: Inspection, head: Mapping) -> None:
    """Check each clip, and whether the coordinates are plausible."""
    usable = []
    for position, clip in enumerate(out.annotations):
        problems = list(clip_problems(clip, out.layout, position, head['classes']))
        for problem in problems:
            out.find('error', problem.kind, str(problem))
        if not {problem.kind for problem in problems} - _HARMLESS:
            usable.append(clip)
    for clip in usable:
        x = np.asarray(clip['keypoint'])
        there = x.any(axis=(1, 2, 3))
        if there.any() and not there.all() and head.get('prepared') is None:
            out.find(
                'warning',
                'person without a joint',
                f'clip {sample_name(clip)!r}: person {int(there.argmin())} is zero in all '
                'frames; remove it.',
            )
        if x.shape[1] < _FEW_FRAMES:
            out.find(
                'warning',
                f'fewer than {_FEW_FRAMES} frames',
                f'clip {sample_name(clip)!r} has {x.shape[1]} frames: too few for a '
                'motion.',
            )
    if out.layout is not None and usable:
        _check_persons(out, out.layout, usable, head.get('prepared') is not None)


def _check_persons(
    out: Inspection, layout: SkeletonLayout, clips: Sequence[dict], prepared: bool
) -> None:
    """Compare the coordinates with the shape of a person."""
    side_of = Sides(layout)
    sides: list[float] = []
    heights: dict[str, float] = {}
    ups: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    ratios: list[float] = []
    long: defaultdict[str, list[float]] = defaultdict(list)
    measured, total = np.zeros(layout.num_joints), 0
    extent = 0.0
    for clip in clips:
        sample = dict(clip)
        join_score(sample, layout)
        x = np.asarray(sample['keypoint'], np.float32)
        tracking = track(torch.from_numpy(x), layout)
        x, seen = x[tracking.persons], tracking.seen.numpy()
        measured += seen.sum((0, 1))
        total += int(seen.any(-1).sum())
        extent = max(extent, float(np.abs(x[..., :2]).max()))
        if not prepared:
            counts.update(tracking.counts())
        if (side := side_of(x.astype(np.float64))) is not None:
            sides.append(side)
        for bone, length in long_bones(x, layout).items():
            long[bone].append(length)
        if (ratio := bone_ratio(x, layout)) is not None:
            ratios.append(ratio)
        frames = x[seen.all(-1)]
        if height := body_height(frames, layout):
            heights[sample_name(clip)] = height
        frames[..., layout.num_axes :] = 0
        ups.update(filter(None, [find_up(frames, layout)]))
    _report_sides(out, layout, sides)
    _report_up(out, layout, ups)
    if layout.coordinates == '3d':
        _report_unit(out, heights)
    elif extent <= 2 and not prepared:
        out.find(
            'warning',
            'coordinates are not pixels',
            f'x and y are below {extent:.3g}; fractions of an image that is not square '
            'distort the body: multiply them by the width and height of the image.',
        )
    _report_long(out, long)
    if ratios and np.median(ratios) > MAX_BONE_RATIO:
        out.find(
            'warning',
            'joints in another order',
            'bones are as long as any two joints are apart, in the median of '
            f'{len(ratios)} clips; set the layout that the data were made with.',
        )
    _report_joints(out, layout, measured / max(total, 1))
    if any(counts.values()):
        out.facts['persons lost'] = f'alignment {describe_counts(counts)}'


def _report_up(out: Inspection, layout: SkeletonLayout, ups: Counter[str]) -> None:
    expected = '-y' if layout.coordinates == '2d' else 'y'
    if ups and ups[expected] < sum(ups.values()) / 2:
        axis, count = ups.most_common(1)[0]
        remedy = (
            f'{planar_remedy(axis)}.'
            if layout.coordinates == '2d'
            else up_problem(axis)
        )
        out.find(
            'warning',
            'up is another axis',
            f'in {count} of {sum(ups.values())} clips {remedy}',
        )


def _report_unit(out: Inspection, heights: Mapping[str, float]) -> None:
    if not heights:
        return
    median = float(np.median(list(heights.values())))
    out.facts['height of a person'] = f'{median:.3g} (median of clips)'
    if (problem := unit_problem(median)) is not None:
        out.find('warning', 'unit is not the metre', problem)
    for name, height in heights.items():
        if not median / 4 < height < median * 4:
            out.find(
                'warning',
                'units differ',
                f'clip {name!r}: the person is {height:.3g} tall, in the median of clips '
                f'{median:.3g}.',
            )


def _report_long(out: Inspection, long: Mapping[str, Sequence[float]]) -> None:
    if not long:
        return
    shown = [f'{bone} ({np.median(lengths):.3g})' for bone, lengths in long.items()]
    out.find(
        'warning',
        'bones longer than a body',
        f'{_some(shown)}, in up to {max(map(len, long.values()))} clips: these joints '
        'have another unit, are in another order than the layout says, or are no joints; '
        'correct the files, or choose a layout without them (--to-layout).',
    )


def _report_joints(
    out: Inspection, layout: SkeletonLayout, measured: np.ndarray
) -> None:
    names = layout.joints or tuple(map(str, range(layout.num_joints)))
    never = [names[v] for v in np.flatnonzero(measured == 0)]
    often = [names[v] for v in np.flatnonzero((measured > 0) & (measured < 1 - _OFTEN))]
    if never:
        out.find(
            'warning',
            'joint never measured',
            f'{_some(never)}: zero, or score 0, in all clips; use a layout without them.',
        )
    if often:
        out.find(
            'warning',
            'joint often lost',
            f'{_some(often)}: lost in more than {_OFTEN:.0%} of all frames; alignment '
            'interpolates them.',
        )


def _check_names(out: Inspection, names: Sequence[str | None]) -> None:
    for name, count in Counter(names).items():
        if name is not None and count > 1:
            out.find('error', 'name taken twice', f'{count} clips are called {name!r}.')


def _check_splits(
    out: Inspection, splits: Mapping[str, Sequence[str]], names: Sequence[str | None]
) -> None:
    known = set(names) - {None}
    for split, members in splits.items():
        for name, count in Counter(members).items():
            if name not in known:
                out.find(
                    'error',
                    'split names a clip that is not there',
                    f'split {split!r} names {name!r}.',
                )
            elif count > 1:
                out.find(
                    'error',
                    'split names a clip twice',
                    f'split {split!r} names {name!r} {count} times.',
                )
        if not members:
            out.find('warning', 'empty split', f'split {split!r} holds no clip.')
    for _, problem in split_overlaps(splits):
        out.find('error', 'splits overlap', problem)
    outside = known - {name for members in splits.values() for name in members}
    if splits and outside:
        out.find(
            'warning',
            'clips in no split',
            f'{len(outside)} clips are in no split, such as {min(map(str, outside))!r}.',
        )


def _check_labels(
    out: Inspection, splits: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> None:
    labels: dict[str, int] = {}
    used: Counter[int] = Counter()
    missing = 0
    for clip in out.annotations:
        with contextlib.suppress(ValueError):  # among the errors of clips already
            label = sample_label(clip)
            missing += label is None
            if label is not None:
                used[label] += 1
                labels[split_name(clip) or ''] = label
    if 0 < missing < len(out.annotations):
        out.find('warning', 'clips without a label', f'{missing} clips have no label.')
    gaps = sorted(set(range(max(*used, len(classes) - 1, 0, 0) + 1)) - set(used))
    if used and gaps:
        out.find(
            'warning',
            'labels without clips',
            f'no clip has the label {_some(gaps)}; a classifier would still have these '
            'classes.',
        )
    single = sorted(label for label, count in used.items() if count == 1)
    if len(used) == 1:
        out.find('warning', 'one class', f'all clips have the label {min(used)}.')
    elif single:
        out.find(
            'warning',
            'classes of one clip',
            f'only one clip has the label {_some(single)}: such a class is either trained '
            'or evaluated, not both.',
        )
    for train, other in counterparts(splits):
        trained, evaluated = (
            {labels[name] for name in splits[split] if name in labels}
            for split in (train, other)
        )
        if evaluated - trained:
            out.find(
                'warning',
                'classes that are evaluated and not trained',
                f'{other!r} has the labels {_some(sorted(evaluated - trained))}, but '
                f'{train!r} does not.',
            )


def _report_sides(
    out: Inspection, layout: SkeletonLayout, votes: Sequence[float]
) -> None:
    """Compare the names of left joints with the side that they are on."""
    if not votes:
        return
    wrong = sum(vote < 0 for vote in votes)
    two_d = layout.coordinates == '2d'
    how = 'persons who face the camera' if two_d else 'the direction of knees and feet'
    right = len(votes) - wrong
    clear = max(wrong, right) >= _AGREEING * len(votes)
    out.facts['left and right'] = ('' if clear else 'unclear: ') + (
        f'joint names agree with {how} in {right} of {len(votes)} clips'
    )
    if wrong < _AGREEING * len(votes):
        return
    named = 'joints named left are' if layout.joints else "the layout's left side is"
    out.find(
        # All persons may have been filmed from behind.
        'warning' if two_d else 'error',
        'left and right exchanged',
        f'in {wrong} of {len(votes)} clips {named} on the right, judged by {how}; set '
        'another layout, or mirror the clips back (one axis is negated).',
    )


def _facts(
    out: Inspection,
    prepared: Any,
    splits: Mapping[str, Sequence[str]],
    shapes: Sequence[tuple[int, ...]],
) -> dict[str, str]:
    whole = [shape for shape in shapes if len(shape) == 4]
    facts = dict(clips=f'{len(shapes):,}')
    if out.layout is not None:
        facts['layout'] = out.facts.get('layout', out.layout.name)
        facts['coordinates'] = {
            '3d': 'x, y, z', '2d': 'x, y, score'
        }[out.layout.coordinates]  # fmt: skip
    if prepared:
        facts['prepared'] = short(prepared)
    for name, axis in [('persons', 0), ('frames', 1), ('joints', 2)]:
        values = [shape[axis] for shape in whole]
        if values:
            facts[name] = (
                f'{values[0]}'
                if min(values) == max(values)
                else f'{min(values)} to {max(values)}, median {np.median(values):g}'
            )
    dtypes = Counter(
        str(getattr(c.get('keypoint'), 'dtype', 'lists')) for c in out.annotations
    )
    facts['stored as'] = ', '.join(dtypes)
    low, high = _range(out.annotations, whole)
    if low is not None:
        facts['range of coordinates'] = '  '.join(
            f'{axis}: {a:.3g} to {b:.3g}'
            for axis, a, b in zip('xyz', low, high, strict=False)
        )
    for key in ('label', 'subject', 'camera', 'setup'):
        counts = Counter(
            c[key]
            for c in out.annotations
            if isinstance(c.get(key), str | int | np.integer)
        )
        if counts:
            few, many = min(counts.values()), max(counts.values())
            each = f'{few}' if few == many else f'{few} to {many}'
            facts[f'{key}s'] = f'{len(counts)} ({each} clips each)'
    for name, members in splits.items():
        facts[f'split {name}'] = f'{len(members):,}'
    return {**facts, **out.facts}


def _range(annotations: Sequence[Mapping], whole: Sequence[tuple]) -> tuple:
    """Smallest and largest value of each coordinate over all clips, without NaN."""
    channels = {shape[3] for shape in whole}
    if len(channels) != 1 or len(whole) != len(annotations):
        return None, None
    axes = channels.pop()
    low, high = np.full(axes, np.inf), np.full(axes, -np.inf)
    for clip in annotations:
        values = np.asarray(clip['keypoint'], np.float64).reshape(-1, axes)
        values = values[np.isfinite(values).all(-1)]
        if len(values):
            low, high = np.minimum(low, values.min(0)), np.maximum(high, values.max(0))
    return (low, high) if np.isfinite(low).all() else (None, None)


def _some(values: Sequence[int | str]) -> str:
    shown = ', '.join(map(str, values[:8]))
    return shown if len(values) <= 8 else f'{shown}, ... ({len(values)})'
