"""Find the joints of a layout in a file, by name where it has names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...skeleton import SkeletonLayout, get_layout
from ...skeleton.joint_names import side_and_words
from ...skeleton.orientation import MAX_BONE_RATIO, bone_ratio

# Other names of a layout's joints in the documentation of trackers.
_ALSO = {
    'corner mouth': ('mouth',),
    'little finger': ('pinky',),
    'index finger': ('index',),
    'tip foot': ('foot index',),
    'base spine': ('spine base',),
    'middle spine': ('spine mid',),
    'tip hand': ('hand tip',),
    'navel': ('spine navel',),
    'chest': ('spine chest',),
    'hips': ('hip', 'mid hip', 'pelvis', 'hip center', 'root'),
    'pelvis': ('hip', 'mid hip', 'hips', 'hip center', 'root'),
}
# NTU calls the joint between the shoulders 'spine'; Kinect v1 has another spine.
_ALSO_IN_NTU = {'spine': ('spine shoulder',)}


def joints_of(layout: str) -> tuple[str, ...]:
    """The joints of a tracker whose files do not name them, in its order."""
    return get_layout(layout).joints


def _keys(name: str) -> list[tuple]:
    """The key of a joint's name: side and words in any order, or its letters."""
    side, words = side_and_words(name)
    words = [word for word in words if word not in ('of', 'the')]
    return [(side, frozenset(words)), (side, ''.join(words))]


def _called(joint: str, layout: SkeletonLayout) -> list[tuple]:
    """The keys of all names of a layout's joint."""
    out = _keys(joint)
    also = {**_ALSO, **(_ALSO_IN_NTU if 'base of spine' in layout.joints else {})}
    for part, others in also.items():
        if _keys(part)[0][1] == out[0][1]:
            out += [key for other in others for key in _keys(f'{out[0][0]} {other}')]
    return out


def match(names: Sequence[str], layout: SkeletonLayout) -> list[int]:
    """Find each joint of a layout in a file.

    Args:
        names (Sequence[str]): The joints of the file, in its order.
        layout (SkeletonLayout): The layout. If it has no joint names, or all joints of the
            file have the same name, the order of the file is used.

    Returns:
        list[int]: For each joint of the layout its index in the file. The file may have
        more joints.

    Raises:
        ValueError: If a joint is not found, or found twice.
    """
    if not layout.joints or len(set(names)) == 1 < len(names):
        return in_order(len(names), layout)
    index: dict[tuple, int] = {}
    for position, name in enumerate(names):
        for key in _keys(name):
            if index.setdefault(key, position) != position:
                raise ValueError(f'a joint named twice: {name!r}')
    out = []
    missing = []
    for joint in layout.joints:
        found = [index[called] for called in _called(joint, layout) if called in index]
        if found:
            out.append(found[0])
        else:
            missing.append(joint)
    if not out:
        raise ValueError(
            f'unknown joint names: {_some(names)}, but those of layout {layout.name!r} '
            f'are {_some(layout.joints)}; set the layout that the data were made with'
        )
    if missing:
        raise ValueError(
            f'missing joints: the file has no {_some(missing)} of layout '
            f'{layout.name!r}, but {_some(names)}; set a layout of its joints'
        )
    return out


def in_order(count: int, layout: SkeletonLayout) -> list[int]:
    """The joints of a file without names.

    Raises:
        ValueError: If it has more or fewer than the layout.
    """
    if count != layout.num_joints:
        raise ValueError(
            f'wrong joint count: {count} joints, but layout {layout.name!r} has '
            f'{layout.num_joints}; set the layout that the data were made with'
        )
    return list(range(count))


def looks_like(values: np.ndarray, layout: SkeletonLayout) -> bool:
    """Whether joints in the order of a layout can form a person.

    Args:
        values (np.ndarray): ``(..., V, 4)``: x, y, z and score. NaN: not in the file.
        layout (SkeletonLayout): The skeleton.
    """
    ratio = bone_ratio(np.nan_to_num(values), layout)
    return ratio is None or ratio <= MAX_BONE_RATIO


def _some(names: Sequence[str], most: int = 6) -> str:
    shown = ', '.join(map(repr, names[:most]))
    return shown + (f' and {len(names) - most} more' if len(names) > most else '')
