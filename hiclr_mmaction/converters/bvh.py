"""BVH motion capture: a skeleton of offsets, and its rotations over time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ..skeleton.joint_names import find_joint, index_joints
from .labelled_folder import LabelledFolder

_LIMBS = ('shoulder', 'elbow', 'wrist', 'hand'), ('hip', 'knee', 'ankle', 'foot')
_KINECT20 = [
    ('', 'hips'), ('', 'spine'), ('', 'neck'), ('', 'head'),
    *((side, part) for limb in _LIMBS for side in ('left', 'right') for part in limb),
]  # fmt: skip
TARGETS = {
    'kinect20': _KINECT20,
    'nturgb+d': [
        *_KINECT20, ('', 'chest'), ('left', 'hand'), ('left', 'thumb'),
        ('right', 'hand'), ('right', 'thumb'),
    ],
}  # fmt: skip


@dataclass
class BVH:
    """A parsed file.

    Attributes:
        joints (list[str]): Names; the end of a limb is its joint's name and ``end``.
        parents (list[int]): Index of each joint's parent, -1 for the root.
        offsets (list[list[float]]): From the parent, in the file's unit.
        channels (list[list[str]]): Of each joint, such as ``Xposition``, ``Zrotation``.
        motion (np.ndarray): ``(T, channels of all joints)``, unit and degrees.
        frame_time (float): Seconds.
    """

    joints: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    motion: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    frame_time: float = 0.0

    def positions(self) -> np.ndarray:
        """Coordinates ``(T, V, 3)`` of the joints, by forward kinematics.

        A joint's rotations are applied in the order of its channels. The root's
        position is added to its offset; that of another joint replaces it.
        """
        frames = len(self.motion)
        coordinates = np.empty((frames, len(self.joints), 3))
        turns: list[Rotation] = []
        column = 0
        for joint, (parent, channels) in enumerate(
            zip(self.parents, self.channels, strict=True)
        ):
            values = self.motion[:, column : column + len(channels)]
            column += len(channels)
            local = np.tile(np.asarray(self.offsets[joint], float), (frames, 1))
            axes, angles = '', []
            for name, value in zip(channels, values.T, strict=True):
                if name.endswith('position'):
                    axis = 'XYZ'.index(name[0])
                    local[:, axis] = value + (local[:, axis] if parent < 0 else 0)
                else:
                    axes += name[0]
                    angles.append(value)
            turn = Rotation.identity(frames)
            for letter, angle in zip(axes, angles, strict=True):
                turn = turn * Rotation.from_euler(
                    letter.lower(), angle[:, None], degrees=True
                )
            if parent < 0:
                coordinates[:, joint] = local
            else:
                coordinates[:, joint] = coordinates[:, parent] + turns[parent].apply(
                    local
                )
                turn = turns[parent] * turn
            turns.append(turn)
        return coordinates


def parse_bvh(text: str) -> BVH:
    """Parse the text of a BVH file.

    Raises:
        ValueError: If it is no BVH file, or its motion is truncated.
    """
    lines = iter(enumerate(text.splitlines(), 1))
    out = BVH()
    open_joints: list[int] = []
    if 'HIERARCHY' not in text or 'MOTION' not in text:
        raise ValueError('no BVH: HIERARCHY or MOTION is missing')
    for number, line in lines:
        words = line.split()
        kind = words[0] if words else ''
        if kind in ('ROOT', 'JOINT', 'End'):
            name = line.strip().removeprefix(kind).strip()
            if kind == 'End':
                if not open_joints:
                    raise ValueError(f'broken hierarchy: line {number}')
                name = f'{out.joints[open_joints[-1]]} end'
            elif kind == 'ROOT' and out.joints:
                raise ValueError(f'broken hierarchy: a second ROOT, line {number}')
            out.joints.append(name)
            out.parents.append(open_joints[-1] if open_joints else -1)
            out.offsets.append([0.0, 0.0, 0.0])
            out.channels.append([])
            open_joints.append(len(out.joints) - 1)
        elif kind == 'OFFSET' and open_joints and len(words) == 4:
            out.offsets[open_joints[-1]] = _floats(words[1:], number)
        elif kind == 'CHANNELS' and open_joints:
            channels = words[2:]
            known = re.compile('[XYZ](position|rotation)')
            if words[1] != str(len(channels)) or not all(
                map(known.fullmatch, channels)
            ):
                raise ValueError(f'broken hierarchy: CHANNELS of line {number}')
            out.channels[open_joints[-1]] = channels
        elif kind == '}':
            if not open_joints:
                raise ValueError(f'broken hierarchy: too many }} in line {number}')
            open_joints.pop()
        elif kind == 'MOTION':
            break
        elif kind not in ('', '{', 'HIERARCHY'):
            raise ValueError(f'broken hierarchy: {line.strip()!r} in line {number}')
    if open_joints or not out.joints:
        raise ValueError('broken hierarchy: a joint does not end')
    _parse_motion(out, lines)
    return out


def _parse_motion(out: BVH, lines: Iterator[tuple[int, str]]) -> None:
    head = {}
    for number, line in lines:
        key, colon, value = line.partition(':')
        if colon:
            head[key.strip()] = _floats([value], number)[0]
        if 'Frame Time' in head:
            break
    if not {'Frames', 'Frame Time'} <= set(head):
        raise ValueError('no motion: Frames or Frame Time is missing')
    frames = int(head['Frames'])
    columns = sum(map(len, out.channels))
    words = ' '.join(line for _, line in lines).split()
    try:
        numbers = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise ValueError(f'not a number: {error}') from error
    if numbers.size != frames * columns or not frames:
        raise ValueError(
            f'truncated: {numbers.size} numbers, not {frames} frames of {columns}'
        )
    out.motion = numbers.reshape(frames, columns)
    out.frame_time = head['Frame Time']


def _floats(words: Sequence[str], number: int) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError:
        raise ValueError(f'not a number: line {number}') from None


def layout_of(bvh: BVH, name: str = 'bvh') -> dict[str, Any]:
    """The skeleton of a file as a layout dict.

    Left and right are told from the names of the joints.
    """
    index = index_joints(bvh.joints)
    pairs = [
        (joint, index['right', part])
        for (side, part), joint in index.items()
        if side == 'left' and ('right', part) in index
    ]
    shoulders = [find_joint(index, side, 'shoulder') for side in ('right', 'left')]
    return dict(
        name=name,
        joints=list(bvh.joints),
        bones=[(joint, p) for joint, p in enumerate(bvh.parents) if p >= 0],
        mirror_pairs=sorted(pairs),
        center=bvh.parents.index(-1),
        shoulders=None if None in shoulders else tuple(shoulders),
    )


def joints_of(bvh: BVH, layout: str) -> list[int]:
    """For each joint of a known layout that of the file, by what it is called.

    Raises:
        ValueError: If the file has no joint that is called so.
    """
    index = index_joints(bvh.joints)
    found = [
        (side, part, find_joint(index, side, part)) for side, part in TARGETS[layout]
    ]
    missing = sorted({f'{side} {part}'.strip() for side, part, j in found if j is None})
    if missing:
        raise ValueError(
            f'no such joints: none is called as {", ".join(missing)} of {layout}; '
            "convert without a layout, to the file's own skeleton"
        )
    return [j for *_, j in found if j is not None]


class BVHConverter(LabelledFolder):
    """The BVH files of a folder, as joints in metres, one person a clip.

    Without a layout the skeleton is that of the first file, which the result and the
    report hold as a dict; files of other skeletons are left out.

    Args:
        folder, labels, val_subjects: As in :class:`LabelledFolder`.
        layout (str, optional): ``'kinect20'`` or ``'nturgb+d'``: the joints that are
            called so.
        scale (float): Metres in the file's unit.
        fps (float, optional): Frames a second to keep at least, where the file has more;
            a whole number of frames is stepped over. None: all.
        max_frames (int, optional): Longer clips are left out.

    Raises:
        ValueError: If a setting is out of range, or the first file cannot be read.
    """

    suffixes = ('.bvh',)
    num_person = 1

    def __init__(
        self,
        folder: str | Path,
        labels: str | Path | None = None,
        val_subjects: Sequence[str] = (),
        layout: str | None = None,
        scale: float = 0.01,
        fps: float | None = None,
        max_frames: int | None = None,
    ) -> None:
        super().__init__(folder, labels, val_subjects)
        if layout is not None and layout not in TARGETS:
            raise ValueError(
                f'layout={layout!r}: joints can be put to {", ".join(TARGETS)}, or leave '
                "it out for the files' own skeleton."
            )
        if scale <= 0 or (fps is not None and fps <= 0):
            raise ValueError(f'scale={scale}, fps={fps}; both must be above 0.')
        self.scale = scale
        self.fps = fps
        self.max_frames = max_frames
        self.layout = layout or self._own_layout()
        self._mapped = layout

    def _own_layout(self) -> dict[str, Any]:
        for clip in self.clips():
            try:
                return layout_of(parse_bvh(_read(Path(clip.files[0]))))
            except ValueError:
                continue  # it will be among those left out
        raise ValueError(f'{self.folder} holds no BVH file that can be read.')

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file."""
        bvh = parse_bvh(_read(path))
        if self._mapped is not None:
            joints = joints_of(bvh, self._mapped)
        else:
            own = layout_of(bvh)
            if any(own[key] != self.layout[key] for key in ('joints', 'bones')):  # type: ignore[index]
                raise ValueError(
                    'another skeleton: its joints are not those of the first file; '
                    'convert it apart, or all to one layout'
                )
            joints = list(range(len(bvh.joints)))
        step = 1
        if self.fps is not None and bvh.frame_time > 0:
            # The addend, for 1/120 in a file has been rounded.
            step = max(1, int(1 / (bvh.frame_time * self.fps) + 1e-3))
        bvh.motion = bvh.motion[::step]
        return dict(keypoint=bvh.positions()[None, :, joints], scale=self.scale)


def _read(path: Path) -> str:
    return path.read_text(encoding='utf-8-sig', errors='replace')
