"""Find the joints of a layout in a file, by name where it has names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...skeleton import SkeletonLayout, get_layout

# What else a joint of a layout is called, by the trackers' own documentation.
_ALSO = {
    'corner mouth': ('mouth',),
    'little finger': ('pinky',),
    'index finger': ('index',),
    'tip foot': ('foot index',),
    'base spine': ('spine base',),
    'middle spine': ('spine mid',),
    'tip hand': ('hand tip', 'handtip'),
    'navel': ('spine navel',),
    'chest': ('spine chest',),
    'hips': ('hip', 'mid hip', 'pelvis', 'hip center', 'root'),
    'pelvis': ('hip', 'mid hip', 'hips', 'hip center', 'root'),
}
# NTU calls the joint between the shoulders 'spine'; Kinect v1 has another spine.
_ALSO_IN_NTU = {'spine': ('spine shoulder',)}


def joints_of(layout: str) -> tuple[str, ...]:
    """The joints of a tracker that names none in its files, in its order."""
    return get_layout(layout).joints


def words(name: str) -> frozenset[str]:
    """The words of a joint's name: ``LShoulder``, ``shoulder_left`` are alike."""
    name = re.sub(r'([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])', r'\1\3 \2', name)
    found = set()
    for word in re.findall('[a-z]+|[0-9]+', name.lower()):
        side = re.match('(left|right)(?=.)|.+(?=(?<=.)(left|right)$)', word)
        if side:
            side_name = side[1] or side[2]
            found |= {side_name, word.removeprefix(side_name).removesuffix(side_name)}
        else:
            found.add({'l': 'left', 'r': 'right'}.get(word, word))
    return frozenset(found - {'of', 'the'})


def _called(joint: str, layout: SkeletonLayout) -> list[frozenset[str]]:
    """All that a joint of a layout is called."""
    ours = words(joint)
    out = [ours]
    side = ours & {'left', 'right'}
    also = dict(_ALSO)
    if 'base of spine' in layout.joints:
        also.update(_ALSO_IN_NTU)
    for part, others in also.items():
        if words(part) == ours - side:
            out += [words(other) | side for other in others]
    return out


def match(names: Sequence[str], layout: SkeletonLayout) -> list[int]:
    """Where a file has each joint of a layout.

    Args:
        names (Sequence[str]): The joints of the file, in its order.
        layout (SkeletonLayout): The layout. If it has no names, or the file calls all
            joints alike, the order of the file is taken.

    Returns:
        list[int]: For each joint of the layout its index in the file. The file may have
        more joints.

    Raises:
        ValueError: If a joint is not found, or found twice.
    """
    if not layout.joints or len(set(names)) == 1 < len(names):
        return in_order(len(names), layout)
    index: dict[frozenset[str], int] = {}
    for position, name in enumerate(names):
        if index.setdefault(words(name), position) != position:
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


def _some(names: Sequence[str], most: int = 6) -> str:
    shown = ', '.join(map(repr, names[:most]))
    return shown + (f' and {len(names) - most} more' if len(names) > most else '')
