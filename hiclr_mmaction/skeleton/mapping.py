"""From one layout to another: joints by their names, the others by kinematic rules.

A joint that the source lacks is computed as a fixed weighted sum of joints that it has,
such as the middle of the hips for the pelvis, or a point beyond the wrist for the hand. A
mapping is therefore a matrix. It keeps left and right, and a missing person (all zeros)
stays missing. The weights are rough averages of Kinect and motion capture skeletons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from .constants import constant
from .joint_names import find_joint, index_joints, side_and_part
from .layouts import SkeletonLayout, get_layout

# What the names of joints mean, without their side.
_MEANINGS = {
    name: meaning
    for meaning, names in {
        'pelvis': 'pelvis hips hipcenter baseofspine',
        'spine': 'spine spine2 navel torso middleofspine',
        'lower spine': 'spine1',
        'upper spine': 'spine3',
        'chest': 'shouldercenter thorax chest',
        'neck': 'neck',
        'head': 'head',
        'nose': 'nose',
        'eye': 'eye',
        'inner eye': 'innereye',
        'outer eye': 'outereye',
        'ear': 'ear',
        'mouth': 'cornerofmouth',
        'clavicle': 'clavicle collar',
        'shoulder': 'shoulder',
        'elbow': 'elbow',
        'wrist': 'wrist',
        'hand': 'hand',
        'fingertip': 'tipofhand',
        'thumb': 'thumb',
        'little finger': 'littlefinger',
        'index finger': 'indexfinger',
        'hip': 'hip',
        'knee': 'knee',
        'ankle': 'ankle',
        'foot': 'foot tipoffoot',
        'heel': 'heel',
        'big toe': 'bigtoe',
        'small toe': 'smalltoe',
    }.items()
    for name in names.split()
}
# Names that mean another joint in these layouts: OpenNI's and OpenPose's neck is between
# the shoulders, and so is NTU's spine.
_OTHERWISE = {
    'nturgb+d': {'spine': 'chest'},
    'nturgb+d-stgcn': {'spine': 'chest'},
    'azure_kinect': {'chest': 'upper spine'},
    'openni15': {'neck': 'chest'},
    'openpose': {'neck': 'chest'},
    'body_25': {'neck': 'chest'},
}
# Motion capture names the bone that starts at a joint: there the `LeftArm` is the left
# shoulder, and the `LeftShoulder` the clavicle.
_BONES = (
    'arm', 'upperarm', 'uparm', 'shldr', 'shldrbend', 'forearm', 'forearmbend',
    'lowerarm', 'lowarm', 'upleg', 'upperleg', 'thigh', 'thighbend',
)  # fmt: skip
_PARTS = [
    *(('', part) for part in ('hips', 'spine', 'neck', 'head')),
    *(
        (side, part)
        for side in ('left', 'right')
        for part in (
            'shoulder', 'elbow', 'wrist', 'hand', 'thumb', 'hip', 'knee', 'ankle', 'foot',
        )
    ),
]  # fmt: skip
_OTHER_SIDE = {'left': 'right', 'right': 'left'}
# For each meaning the ways to make it, the best first: joints and their weights, `own` and
# `other` being the side of a joint that has one.
_RULES: dict[str, list[dict[str, float]]] = {
    'pelvis': [{'left hip': 0.5, 'right hip': 0.5}],
    'chest': [{'left shoulder': 0.5, 'right shoulder': 0.5}],
    'spine': [{'pelvis': 0.5, 'chest': 0.5}],
    'lower spine': [{'pelvis': 0.75, 'chest': 0.25}],
    'upper spine': [{'pelvis': 0.3, 'chest': 0.7}],
    'head': [{'left ear': 0.5, 'right ear': 0.5}, {'nose': 1}],
    'neck': [{'chest': 0.75, 'head': 0.25}],
    'nose': [{'head': 1}],
    'eye': [{'nose': 1, 'own shoulder': 0.1, 'other shoulder': -0.1}],
    'inner eye': [{'own eye': 0.5, 'nose': 0.5}],
    'outer eye': [{'own eye': 1.5, 'nose': -0.5}],
    'ear': [{'head': 1, 'own shoulder': 0.2, 'other shoulder': -0.2}],
    'mouth': [{'nose': 1, 'own shoulder': 0.07, 'other shoulder': -0.07}],
    'clavicle': [{'chest': 0.6, 'own shoulder': 0.4}],
    'wrist': [{'own hand': 0.8, 'own elbow': 0.2}],
    'hand': [{'own wrist': 1.25, 'own elbow': -0.25}],
    'fingertip': [{'own index finger': 1}, {'own hand': 1.15, 'own elbow': -0.15}],
    'thumb': [{'own hand': 0.5, 'own fingertip': 0.5}],
    'little finger': [{'own hand': 0.2, 'own fingertip': 0.8}],
    'index finger': [{'own fingertip': 1}],
    'ankle': [{'own foot': 0.9, 'own knee': 0.1}],
    'foot': [
        {'own big toe': 0.5, 'own small toe': 0.5},
        {'own ankle': 1.1, 'own knee': -0.1},
    ],
    'heel': [{'own ankle': 1}],
    'big toe': [{'own foot': 1}],
    'small toe': [{'own foot': 1}],
}


@dataclass(frozen=True)
class JointMapping:
    """A mapping of the joints of one layout to those of another.

    Attributes:
        weights (tuple[tuple[float]]): ``(V target, V source)``; each row adds up to 1.
        made (tuple[str]): Names of the target's joints that are computed from others.
    """

    weights: tuple[tuple[float, ...], ...]
    made: tuple[str, ...]


@lru_cache(maxsize=64)
def joint_mapping(
    source: str | SkeletonLayout, target: str | SkeletonLayout
) -> JointMapping:
    """Find the mapping of the joints of one layout to those of another.

    Args:
        source (str | SkeletonLayout): The skeleton of the clips.
        target (str | SkeletonLayout): The skeleton of the result.

    Raises:
        ValueError: If a joint of the target can neither be found by its name nor computed
            from others, or the target is 3-D and the source 2-D.
    """
    source, target = get_layout(source), get_layout(target)
    if source.coordinates == '2d' and target.coordinates == '3d':
        raise ValueError(
            f'layout {source.name!r} cannot be mapped to {target.name!r}: a 2-D skeleton '
            "has no depth. Map to a '2d' layout; if the clips are 3-D, give "
            f"layout=dict(base={source.name!r}, coordinates='3d')."
        )
    body = _Body(source)
    rows, made, missing = [], [], []
    for joint, meaning in zip(target.joints, _meanings(target), strict=True):
        row = None if meaning is None else body.weights(meaning)
        if row is None:
            missing.append(joint)
            continue
        rows.append(tuple(row.get(v, 0.0) for v in range(source.num_joints)))
        if meaning not in body.joints:
            made.append(joint)
    if missing or not target.joints:
        raise ValueError(
            f'layout {source.name!r} cannot be mapped to {target.name!r}: the '
            f'position of {", ".join(missing) or "joints without names"} is unknown; '
            'name the joints as those of the known layouts, or choose another layout.'
        )
    return JointMapping(tuple(rows), tuple(made))


def map_joints(
    x: Tensor,
    source: str | dict | SkeletonLayout,
    target: str | dict | SkeletonLayout,
    measured: Tensor | None = None,
) -> Tensor:
    """Map clips to the joints of another layout.

    Args:
        x (Tensor): Coordinates ``(..., V, 3)``, of a 2-D layout with scores. A joint made
            of others has the lowest of their scores. From 3-D to 2-D the person is seen
            by a camera in front: x and y are turned over, and the score is 1.
        source (str | dict | SkeletonLayout): The skeleton of ``x``.
        target (str | dict | SkeletonLayout): The skeleton of the result.
        measured (Tensor, optional): bool ``(..., V)``, see
            :func:`~hiclr_mmaction.skeleton.align.measured_joints`. Joints computed from
            one that was not measured are (0, 0, 0). None: those of a score above 0, in
            3-D all.

    Returns:
        Tensor: ``(..., V of the target, 3)``.

    Raises:
        ValueError: As of :func:`joint_mapping`.
    """
    source, target = get_layout(source), get_layout(target)
    mapping = joint_mapping(source, target)
    weights = constant(mapping.weights, x.dtype, x.device)
    out = weights @ x
    used = weights != 0
    if source.coordinates == '2d':
        # Infinity excludes unused joints from the minimum.
        others = torch.where(used, 0.0, torch.inf).to(x)
        out[..., 2] = (x[..., None, :, 2] + others).amin(-1)
        measured = x[..., 2] > 0 if measured is None else measured
    elif target.coordinates == '2d':
        there = x.any(-1).any(-1)[..., None].expand(out.shape[:-1])
        # A camera sees the right side of who faces it on its left.
        out = torch.stack([-out[..., 0], -out[..., 1], there.to(x)], dim=-1)
    if measured is None:
        return out
    lost = (~measured).to(x) @ used.to(x).T > 0
    return out.masked_fill(lost.unsqueeze(-1), 0)


def _meanings(layout: SkeletonLayout) -> list[str | None]:
    """What each joint is, with its side: ``'left wrist'``, ``'pelvis'``. None: unknown."""
    otherwise = _OTHERWISE.get(layout.name, {})
    out = []
    for joint in layout.joints:
        side, part = side_and_part(joint)
        meaning = otherwise.get(part) or _MEANINGS.get(part)
        out.append(f'{side} {meaning}'.strip() if meaning else None)
    return out


class _Body:
    """The joints of a layout by meaning, and weights for those that it lacks."""

    def __init__(self, layout: SkeletonLayout) -> None:
        self.joints: dict[str, int] = {}
        index = index_joints(layout.joints)
        if any(part in _BONES for _, part in index):
            for side, part in _PARTS:
                joint = find_joint(index, side, part)
                # A hand may be called as the wrist is: it is the wrist then.
                if joint is not None and joint not in self.joints.values():
                    meaning = f'{side} {part}' if side else part
                    self.joints['pelvis' if part == 'hips' else meaning] = joint
            return
        for joint, name in enumerate(_meanings(layout)):
            if name is not None:
                self.joints.setdefault(name, joint)

    def weights(
        self, meaning: str, asked: tuple[str, ...] = ()
    ) -> Mapping[int, float] | None:
        """Weights of the source's joints. None: it cannot be made of them.

        Args:
            meaning (str): Such as ``'left wrist'``.
            asked (tuple[str]): For what it is needed; a rule does not ask for these.
        """
        if meaning in self.joints:
            return {self.joints[meaning]: 1.0}
        if meaning in asked:
            return None
        side, _, part = meaning.partition(' ')
        if side not in _OTHER_SIDE:
            side, part = '', meaning
        for rule in _RULES.get(part, ()):
            row: dict[int, float] = {}
            for name, weight in rule.items():
                found = self.weights(_full_name(name, side), (*asked, meaning))
                if found is None:
                    break
                for joint, share in found.items():
                    row[joint] = row.get(joint, 0.0) + weight * share
            else:
                return row
        return None


def _full_name(name: str, side: str) -> str:
    """The meaning of a name in a rule, for a joint of a side."""
    which, _, part = name.partition(' ')
    if which == 'own':
        return f'{side} {part}'
    if which == 'other':
        return f'{_OTHER_SIDE[side]} {part}'
    return name
