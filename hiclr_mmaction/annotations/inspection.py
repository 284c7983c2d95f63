"""What is in a pose pickle, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..skeleton import SkeletonLayout, get_layout
from ..skeleton.joint_names import find_joint, index_joints
from .clip_checks import UnusableClip, check_keypoint, join_score, sample_name
from .safe_pickle import load_pickle

# The layout that a file without `layout` most likely has, by its number of joints.
_LIKELY = {
    15: 'openni15',
    17: 'coco',
    18: 'openpose',
    20: 'kinect20',
    25: 'nturgb+d',
    33: 'mediapipe',
}
# Part of the clips that must agree before left and right are called exchanged.
_AGREEING = 0.8


@dataclass
class Finding:
    """Something about a file that is wrong (an error) or odd (a warning).

    Attributes:
        severity (str): ``'error'`` or ``'warning'``.
        kind (str): The same for all clips that have it.
        message (str): About the first of them.
        count (int): How many have it.
    """

    severity: str
    kind: str
    message: str
    count: int = 1


@dataclass
class Inspection:
    """What is in a file.

    Attributes:
        path (str): The file.
        layout (SkeletonLayout | None): Its skeleton; None: it is not known.
        facts (dict[str, str]): What is in it, in words.
        findings (list[Finding]): What is wrong or odd.
        annotations (list[dict]): Its clips.
    """

    path: str
    layout: SkeletonLayout | None = None
    facts: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    annotations: list[dict] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """The findings with which the file should not be trained on."""
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
    evaluation, labels that are no class, and left and right exchanged. Warnings are
    persons without a joint, clips in no split, classes without a clip, classes that are
    evaluated and not trained.

    Args:
        path (str | Path): The file.
        layout (str | dict | SkeletonLayout, optional): Its skeleton. None: what the
            file tells, or else the known one with as many joints.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no pickle of plain data, or the layout is unknown.
    """
    content = load_pickle(path)
    out = Inspection(str(path))
    if isinstance(content, Mapping):
        annotations = content.get('annotations')
    else:
        annotations, content = content, {}
    if not isinstance(annotations, list) or not all(
        isinstance(clip, Mapping) and 'keypoint' in clip for clip in annotations
    ):
        out.find(
            'error',
            'no pose pickle',
            'it is not dict(split={name: [frame_dir, ...]}, annotations=[{keypoint: '
            '...}, ...]).',
        )
        return out
    out.annotations = [dict(clip) for clip in annotations]
    if not annotations:
        out.find('error', 'no clip', 'annotations is empty.')
        return out
    told = layout if layout is not None else content.get('layout')
    out.layout = _find_layout(out, told)
    prepared = content.get('prepared')
    _check_clips(out, prepared is not None)
    names = _check_names(out)
    splits = content.get('split') or {}
    _check_splits(out, splits, names)
    _check_labels(out, splits, content.get('classes') or ())
    _check_sides(out)
    out.facts.update(_facts(out, prepared, content.get('split') or {}))
    return out


def _find_layout(
    out: Inspection, told: str | Mapping | SkeletonLayout | None
) -> SkeletonLayout | None:
    if told is not None:
        return get_layout(told)
    shapes = Counter(np.shape(clip['keypoint'])[2:] for clip in out.annotations)
    joints = next(iter(shapes.most_common(1)[0][0]), None)
    if joints in _LIKELY:
        name = _LIKELY[joints]
        out.facts['layout'] = f'{name} (guessed from {joints} joints)'
        return get_layout(name)
    out.find(
        'warning',
        'unknown layout',
        f'the file does not tell its layout, and none that is known has {joints} joints; '
        'give it (--layout) to have joints, left and right checked.',
    )
    return None


def _check_clips(out: Inspection, prepared: bool) -> None:
    for clip in out.annotations:
        name = sample_name(clip)
        clip = dict(clip)
        try:
            if out.layout is not None:
                join_score(clip, out.layout)
                check_keypoint(clip['keypoint'], out.layout, name)
            _check_clip(out, clip, name, prepared)
        except UnusableClip as error:
            out.find('error', error.kind, str(error))
        except ValueError as error:
            out.find('error', 'clip cannot be used', str(error))


def _check_clip(out: Inspection, clip: Mapping, name: str, prepared: bool) -> None:
    keypoint = np.asarray(clip['keypoint'])
    if keypoint.ndim != 4:
        raise UnusableClip(
            'wrong number of axes',
            f'clip {name!r}: keypoint has shape {keypoint.shape}; it should be (persons, '
            'frames, joints, coordinates).',
        )
    frames = clip.get('total_frames')
    if frames is not None and frames != keypoint.shape[1]:
        out.find(
            'error',
            'total_frames is not the number of frames',
            f'clip {name!r}: total_frames={frames}, but keypoint has '
            f'{keypoint.shape[1]} frames.',
        )
    there = (np.nan_to_num(keypoint) != 0).any(axis=(1, 2, 3))
    if not there.any():
        out.find('error', 'nobody in it', f'clip {name!r}: all joints are zero.')
    elif not there.all() and not prepared:  # there they fill up the number
        out.find(
            'warning',
            'person without a joint',
            f'clip {name!r}: person {int(there.argmin())} is zero throughout; leave it '
            'out.',
        )


def _check_names(out: Inspection) -> list[str | None]:
    key = 'filename' if 'filename' in out.annotations[0] else 'frame_dir'
    names = [clip.get(key) for clip in out.annotations]
    for name, count in Counter(names).items():
        if name is None:
            out.find('error', 'clip without a name', f'{count} clips have no {key}.')
        elif count > 1:
            out.find('error', 'name taken twice', f'{count} clips are called {name!r}.')
    return names


def _check_splits(
    out: Inspection, splits: Mapping[str, Sequence[str]], names: Sequence[str | None]
) -> None:
    known = set(names)
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
    for train, other in _counterparts(splits):
        shared = sorted(set(splits[train]) & set(splits[other]))
        if shared:
            out.find(
                'error',
                'splits overlap',
                f'{train!r} and {other!r} share {len(shared)} clips, such as '
                f'{shared[0]!r}.',
            )
    outside = known - {name for members in splits.values() for name in members}
    if splits and outside:
        out.find(
            'warning',
            'clips in no split',
            f'{len(outside)} clips are in no split, such as {min(map(str, outside))!r}.',
        )


def _counterparts(splits: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Training splits, each with the other ones of its protocol."""
    protocols: dict[tuple[str, str], dict[str, str]] = {}
    for name in splits:
        if match := re.fullmatch(r'(.*?)(train|val|test)(\d*)', name):
            before, part, after = match.groups()
            protocols.setdefault((before, after), {})[part] = name
    return [
        (parts['train'], parts[other])
        for parts in protocols.values()
        for other in ('val', 'test')
        if 'train' in parts and other in parts
    ]


def _check_labels(
    out: Inspection, splits: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> None:
    labels: dict[str, int] = {}
    for clip in out.annotations:
        label, name = clip.get('label'), sample_name(clip)
        if label is None:
            continue
        if isinstance(label, bool) or not isinstance(label, int | np.integer):
            out.find('error', 'label is no whole number', f'clip {name!r}: {label!r}.')
            continue
        labels[name] = int(label)
        if label < 0 or (classes and label >= len(classes)):
            known = f'0 to {len(classes) - 1}' if classes else '0 and above'
            out.find(
                'error',
                'label out of range',
                f'clip {name!r} has label {label}; classes are {known}.',
            )
    missing = sum(clip.get('label') is None for clip in out.annotations)
    if 0 < missing < len(out.annotations):
        out.find('warning', 'clips without a label', f'{missing} clips have no label.')
    used = set(labels.values())
    gaps = sorted(set(range(max(used, default=-1) + 1)) - used)
    if gaps:
        out.find(
            'warning',
            'labels with gaps',
            f'labels go up to {max(used)}, but no clip has {_some(gaps)}; a classifier '
            'gets a class for each all the same.',
        )
    for train, other in _counterparts(splits):
        trained, evaluated = (
            {labels[name] for name in splits[split] if name in labels}
            for split in (train, other)
        )
        if evaluated - trained:
            out.find(
                'warning',
                'classes that are evaluated and not trained',
                f'{other!r} has the labels {_some(sorted(evaluated - trained))}, '
                f'{train!r} has not.',
            )


def _check_sides(out: Inspection) -> None:
    """Compare what is called left with where the left is."""
    if out.layout is None:
        return
    joints = out.layout.joints
    votes = [v for v in map(Sides(out.layout), out.annotations) if v]
    if not votes:
        return
    wrong = sum(vote < 0 for vote in votes)
    image = out.layout.coordinates == '2d'
    how = 'of who faces the camera' if image else 'as knees and feet point'
    out.facts['left and right'] = (
        f'as the joints are called in {len(votes) - wrong} of {len(votes)} clips, {how}'
    )
    if wrong < _AGREEING * len(votes):
        return
    named = 'what is called left' if joints else 'the left side of the layout'
    out.find(
        # Everybody may have been filmed from behind.
        'warning' if image else 'error',
        'left and right exchanged',
        f'in {wrong} of {len(votes)} clips {named} is on the right ({how}); the layout '
        'is another one, or the clips are mirrored (an axis negated).',
    )


class Sides:
    """Tells for a clip whether left and right are where the layout's names say.

    In space: forward is where the feet point and to where the knees bend, up is from
    hips to shoulders, and forward x up is to the right where the axes are right-handed,
    as Kinect's are. In an image: who shows the face has the left side to the right.

    Args:
        layout (SkeletonLayout): The skeleton; its shoulders, or names of joints, tell
            the sides.
    """

    def __init__(self, layout: SkeletonLayout) -> None:
        self.layout = layout
        index = index_joints(layout.joints)
        self.legs = [
            [find_joint(index, side, p) for p in ('hip', 'knee', 'ankle', 'foot')]
            for side in ('left', 'right')
        ]

    def __call__(self, clip: Mapping[str, Any]) -> float | None:
        """From -1 (exchanged) to 1 (as called); None: it cannot be told."""
        if self.layout.shoulders is None:
            return None
        clip = dict(clip)
        try:
            join_score(clip, self.layout)
            check_keypoint(clip['keypoint'], self.layout, '')
        except ValueError:
            return None  # it is among the findings already
        x = np.asarray(clip['keypoint'], dtype=np.float64)
        image = self.layout.coordinates == '2d'
        weigh = self._in_image if image else self._in_space
        weight = weigh(x, *self.layout.shoulders)
        if weight is None or not (total := np.abs(weight).sum()):
            return None
        return float(weight.sum() / total)

    def _in_image(self, x: np.ndarray, right: int, left: int) -> np.ndarray | None:
        """How far the left side is to the right, in each frame of each person."""
        face = [j for j, name in enumerate(self.layout.joints) if 'eye' in name]
        if not face:
            return None
        # From behind the eyes are not seen, or not for sure.
        seen = x[..., [right, left, *face], 2].min(-1) > 0.5
        return (x[..., left, 0] - x[..., right, 0]) * seen

    def _in_space(self, x: np.ndarray, right: int, left: int) -> np.ndarray | None:
        """How far the right side is to the right, in each frame of each person."""
        forward = np.zeros_like(x[..., 0, :])
        hips = []
        for hip, knee, ankle, foot in self.legs:
            if hip is None:
                return None
            hips.append(x[..., hip, :])
            if knee is not None and ankle is not None:
                middle = (x[..., hip, :] + x[..., ankle, :]) / 2
                forward += x[..., knee, :] - middle
            if foot is not None and ankle is not None:
                forward += x[..., foot, :] - x[..., ankle, :]
        up = x[..., right, :] + x[..., left, :] - hips[0] - hips[1]
        across = x[..., right, :] - x[..., left, :]
        return (across * np.cross(forward, up)).sum(-1)


def _facts(
    out: Inspection, prepared: Any, splits: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    shapes = [np.shape(clip['keypoint']) for clip in out.annotations]
    whole = [shape for shape in shapes if len(shape) == 4]
    facts = dict(clips=f'{len(shapes):,}')
    if out.layout is not None:
        facts['layout'] = out.facts.get('layout', out.layout.name)
        facts['coordinates'] = {
            '3d': 'x, y, z', '2d': 'x, y, score (in an image)'
        }[out.layout.coordinates]  # fmt: skip
    if prepared:
        facts['prepared'] = ', '.join(f'{k}={v}' for k, v in dict(prepared).items())
    for name, axis in [('persons', 0), ('frames', 1), ('joints', 2)]:
        values = [shape[axis] for shape in whole]
        if values:
            facts[name] = (
                f'{values[0]}'
                if min(values) == max(values)
                else f'{min(values)} to {max(values)}, median {np.median(values):g}'
            )
    dtypes = Counter(str(np.asarray(c['keypoint']).dtype) for c in out.annotations)
    facts['stored as'] = ', '.join(dtypes)
    low, high = _range(out.annotations, whole)
    if low is not None:
        facts['range of coordinates'] = '  '.join(
            f'{axis}: {a:.3g} to {b:.3g}'
            for axis, a, b in zip('xyz', low, high, strict=False)
        )
    for key in ('label', 'subject', 'camera', 'setup'):
        counts = Counter(c[key] for c in out.annotations if c.get(key) is not None)
        if counts:
            few, many = min(counts.values()), max(counts.values())
            facts[f'{key}s'] = f'{len(counts)} ({few} to {many} clips each)'
    for name, members in splits.items():
        facts[f'split {name}'] = f'{len(members):,}'
    return facts


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


def _some(values: Sequence[int]) -> str:
    shown = ', '.join(map(str, values[:8]))
    return shown if len(values) <= 8 else f'{shown}, ... ({len(values)})'
