"""Up axis and unit of skeleton coordinates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .joint_names import find_joint, index_joints
from .layouts import SkeletonLayout, get_layout

UPS = ('y', '-y', 'z', '-z', 'x', '-x')
# Axes and signs of the turned coordinates, for each of UPS. Each is a rotation, which
# keeps left and right.
_TURNS = {
    'y': ((0, 1, 2), (1, 1, 1)),
    '-y': ((0, 1, 2), (1, -1, -1)),
    'z': ((0, 2, 1), (1, 1, -1)),
    '-z': ((0, 2, 1), (1, -1, 1)),
    'x': ((1, 0, 2), (-1, 1, 1)),
    '-x': ((1, 0, 2), (1, -1, 1)),
}

# Metres of the units in use: metre, centimetre, millimetre, inch, and that of the CMU
# motion capture library, 1 / 0.45 inch.
UNITS = (1.0, 0.01, 0.001, 0.0254, 0.0254 / 0.45)
HEIGHTS = (0.5, 2.5)  # of a person, metres
_USUAL_HEIGHT = 1.7
MAX_BONE_RATIO = 0.8  # of a person, see bone_ratio
MIN_JOINTS = 10  # needed for an estimate
_MIN_BONES = 5  # are long enough together to compare another one with


@dataclass(frozen=True)
class Orientation:
    """The rotation and scale that convert coordinates to metres with y up.

    Attributes:
        up (str): The axis that points up: one of :data:`UPS`.
        scale (float): Metres in the unit of the coordinates.

    Raises:
        ValueError: If the axis is unknown, or the scale is not above 0.
    """

    up: str = 'y'
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.up not in UPS:
            raise ValueError(f'up={self.up!r} is not one of {", ".join(UPS)}.')
        if not 0 < self.scale < float('inf'):
            raise ValueError(
                f'scale={self.scale!r} is not above 0; write the metres in the unit of '
                'the coordinates, such as 0.01 for centimetres.'
            )

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Coordinates ``(..., 3)`` in metres, turned so that y is up."""
        if self == Orientation():
            return x
        axes, signs = _TURNS[self.up]
        return x[..., list(axes)] * (np.array(signs) * self.scale)

    def remarks(self, unit: float = 1.0) -> list[str]:
        """What :meth:`apply` changes besides the usual unit, for a report."""
        turned = f'heads are at {self.up}: turned so that y is up (--up)'
        scaled = f'a unit is taken for {self.scale:.4g} m (--scale)'
        return [turned] * (self.up != 'y') + [scaled] * (self.scale != unit)

    @classmethod
    def find(
        cls,
        clips: Iterable[np.ndarray],
        layout: str | dict | SkeletonLayout,
        up: str | None = None,
        scale: float | None = None,
        unit: float = 1.0,
    ) -> Orientation:
        """Estimate the orientation of clips from their persons.

        The up axis leads from feet to heads. The unit is chosen so that persons are 0.5 to
        2.5 m tall. If the layout does not name these joints, coordinates are assumed to be
        in ``unit`` with y up. In 2-D, where y is down, only the axis is estimated.

        Args:
            clips (Iterable[np.ndarray]): Some clips, ``(M, T, V, 3)``, in 2-D with the
                score; arrays of other shapes are left out.
            layout (str | dict | SkeletonLayout): The skeleton.
            up (str, optional): The axis, where known.
            scale (float, optional): The scale, where known.
            unit (float): Metres of the usual unit of such files, preferred to others.
        """
        layout = get_layout(layout)
        shape = (layout.num_joints, 3)
        frames = [x[x.any(axis=(-2, -1))] for x in clips if x.shape[2:] == shape]
        x = np.concatenate([*frames, np.empty((0, *shape))])
        x = x[np.isfinite(x).all(axis=(-2, -1))]
        if layout.coordinates == '2d':
            return cls(find_up(x * [1, 1, 0], layout) or '-y')
        if up is None:
            up = find_up(x, layout) or 'y'
        if scale is None:
            scale = find_scale(body_height(x, layout), unit)
        return cls(up, scale)


def find_up(x: np.ndarray, layout: str | dict | SkeletonLayout) -> str | None:
    """The axis along which heads are above feet, or above hips where there are no feet.

    Args:
        x (np.ndarray): Frames of persons ``(N, V, 3)``.
        layout (str | dict | SkeletonLayout): The skeleton.

    Returns:
        str | None: One of :data:`UPS`; None if the layout names no such joints, or no
        axis stands out.
    """
    body = _body(layout)
    head, low = body['head'], body['ankle'] or body['hips']
    if not head or not low or not len(x):
        return None
    upward = x[:, head].mean(1) - x[:, low].mean(1)
    length = np.linalg.norm(upward, axis=-1, keepdims=True)
    upward = (upward / np.maximum(length, 1e-9)).mean(0)
    axis = int(np.abs(upward).argmax())
    if abs(upward[axis]) < 0.6:
        return None
    return ('' if upward[axis] > 0 else '-') + 'xyz'[axis]


def body_height(x: np.ndarray, layout: str | dict | SkeletonLayout) -> float | None:
    """Height of the persons: the length of trunk, neck and legs, in any posture.

    Args:
        x (np.ndarray): Frames of persons ``(N, V, 3)``.
        layout (str | dict | SkeletonLayout): The skeleton.

    Returns:
        float | None: The median, in the unit of ``x``; None if the layout does not name
        such joints.
    """
    body = _body(layout)
    legs = list(zip(body['hip'], body['knee'], body['ankle'], strict=False))
    if not body['head'] or not legs or not len(x):
        return None
    height = np.linalg.norm(
        x[:, body['head']].mean(1) - x[:, body['hips']].mean(1), axis=-1
    )
    for leg in legs:
        bones = np.diff(x[:, leg], axis=1)
        height = height + np.linalg.norm(bones, axis=-1).sum(-1) / len(legs)
    return float(np.median(height))


def unit_problem(height: float) -> str | None:
    """What to do about persons of this height; None if it is one in metres."""
    low, high = HEIGHTS
    if low <= height <= high:
        return None
    scale = find_scale(height)
    hint = '' if scale == 1 else f', such as --scale {scale:.3g} of the converters'
    return (
        f'persons are {height:.3g} tall, where {low} to {high} m are likely; bring '
        f'the coordinates to metres{hint}.'
    )


def up_problem(up: str | None) -> str | None:
    """What to do about 3-D skeletons whose heads are along another axis than y."""
    if up in ('y', None):
        return None
    return f'heads are at {up} of the feet: turn the data (--up of the converters).'


def planar_remedy(up: str) -> str:
    """What to do about 2-D skeletons whose heads are along another axis than -y."""
    cause = (
        'negate y'
        if up == 'y'
        else 'if the numbers of a joint are y, x, score, say --channels yxs'
    )
    return f'heads are at {up} of the feet, where -y is up in a picture: {cause}'


def long_bones(x: np.ndarray, layout: str | dict | SkeletonLayout) -> dict[str, float]:
    """Find bones that are longer than the body.

    Such a bone is longer than the height of the person (in 3-D, if the layout names the
    joints), or than all shorter bones together, if these are at least five and two thirds
    of all. Its joint has another unit, or another position in the file than in the layout.

    Args:
        x (np.ndarray): Persons ``(..., V, C)``; a joint of zeros was not measured.
        layout (str | dict | SkeletonLayout): The skeleton.

    Returns:
        dict: Median lengths by the names of the bones' joints.
    """
    layout = get_layout(layout)
    x = x.reshape(-1, *x.shape[-2:])[..., : layout.num_axes]
    seen = np.asarray(x.any(-1))
    child, parent = np.transpose(layout.bones)
    lengths = np.linalg.norm(x[:, child] - x[:, parent], axis=-1)
    lengths[~(seen[:, child] & seen[:, parent])] = np.nan
    known = np.flatnonzero((lengths >= 0).any(0))
    if not len(known):
        return {}
    median = np.nanmedian(lengths[:, known], axis=0)
    order = median.argsort()
    others = median[order].cumsum() - median[order]
    few = np.arange(len(order)) < max(_MIN_BONES, 2 * len(order) / 3)
    limit = np.where(few, np.inf, others)
    # What is longer than a bone that is too long, is too long itself.
    limit = np.minimum.accumulate(np.where(median[order] > limit, limit, np.inf))
    if layout.num_axes == 3:
        height = body_height(x[seen.all(-1)], layout) or np.inf
        limit = np.minimum(limit, height)
    names = layout.joints or tuple(map(str, range(layout.num_joints)))
    return {
        f'{names[parent[bone]]} - {names[child[bone]]}': float(length)
        for bone, length, most in zip(known[order], median[order], limit, strict=True)
        if length > most
    }


def bone_ratio(x: np.ndarray, layout: str | dict | SkeletonLayout) -> float | None:
    """Mean length of a bone over the mean distance of two joints.

    It is 0.3 to 0.6 for persons, and about 1 if the joints are not the layout's.

    Args:
        x (np.ndarray): Persons ``(..., V, C)``; a joint of zeros was not measured.
        layout (str | dict | SkeletonLayout): The skeleton.

    Returns:
        float | None: The median over frames; None if the layout has too few joints, or
        no frame has them all.
    """
    layout = get_layout(layout)
    x = x.reshape(-1, *x.shape[-2:])[..., : layout.num_axes]
    x = x[x.any(-1).all(-1)]
    if layout.num_joints < MIN_JOINTS or not len(x):
        return None
    x = x[:: 1 + len(x) // 100]
    child, parent = np.transpose(layout.bones)
    bones = np.linalg.norm(x[:, child] - x[:, parent], axis=-1).mean(-1)
    distances = np.linalg.norm(x[:, :, None] - x[:, None], axis=-1)
    mean = distances.mean((1, 2)) * layout.num_joints / (layout.num_joints - 1)
    return float(np.median(bones / np.maximum(mean, 1e-9)))


def find_scale(height: float | None, unit: float = 1.0) -> float:
    """Find the unit, in metres, of coordinates with persons of this height.

    Args:
        height (float, optional): Of a person, in the unit.
        unit (float): The usual unit. It is kept where a height fits, or none is known.
    """
    low, high = HEIGHTS
    if not height or low <= height * unit <= high:
        return unit
    best = min(UNITS, key=lambda scale: abs(np.log(height * scale / _USUAL_HEIGHT)))
    return best if low <= height * best <= high else unit


def _body(layout: str | dict | SkeletonLayout) -> dict[str, list[int]]:
    """Joints of the head and the middle of the hips, and of both legs, as far as named."""
    index = index_joints(get_layout(layout).joints)

    def joints(side: str, *parts: str) -> list[int]:
        found = (find_joint(index, side, part) for part in parts)
        return next(([joint] for joint in found if joint is not None), [])

    out = {
        part: joints('left', part) + joints('right', part)
        for part in ('hip', 'knee', 'ankle')
    }
    out['hips'] = joints('', 'hips') or out['hip']
    out['head'] = joints('', 'head', 'nose', 'neck')
    return out
