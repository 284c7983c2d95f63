"""BVH motion capture: a skeleton of offsets, and its rotations over time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..skeleton import get_layout
from ..skeleton.joint_names import find_joint, index_joints
from ..skeleton.mapping import map_joints
from .labelled_folder import LabelledFolder

_MAX_JOINTS = 20_000_000  # in all frames of a file


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
        notes (list[str]): Irregularities of the file.
    """

    joints: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    motion: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    frame_time: float = 0.0
    notes: list[str] = field(default_factory=list)

    def positions(self) -> np.ndarray:
        """Coordinates ``(T, V, 3)`` of the joints, by forward kinematics.

        A joint's rotations are applied in the order of its channels. The root's
        position is added to its offset; that of another joint replaces it.
        """
        from scipy.spatial.transform import Rotation  # other files need none

        frames = len(self.motion)
        out = np.empty((frames, len(self.joints), 3))
        rotations: list[Rotation] = []
        column = 0
        for joint, (parent, channels) in enumerate(
            zip(self.parents, self.channels, strict=True)
        ):
            values = self.motion[:, column : column + len(channels)]
            column += len(channels)
            local = np.tile(np.asarray(self.offsets[joint], float), (frames, 1))
            turns = [i for i, name in enumerate(channels) if name.endswith('rotation')]
            for i in set(range(len(channels))) - set(turns):
                axis = 'XYZ'.index(channels[i][0])
                local[:, axis] = values[:, i] + (local[:, axis] if parent < 0 else 0)
            rotation = (
                Rotation.from_euler(
                    ''.join(channels[i][0] for i in turns),
                    values[:, turns],
                    degrees=True,
                )
                if turns
                else Rotation.identity(frames)
            )
            if parent >= 0:
                local = out[:, parent] + rotations[parent].apply(local)
                rotation = rotations[parent] * rotation
            out[:, joint] = local
            rotations.append(rotation)
        return out


def parse_bvh(text: str) -> BVH:
    """Parse the text of a BVH file.

    If a file has several skeletons, the one with the most joints is used.

    Raises:
        ValueError: If it is not a BVH file, or its motion is truncated.
    """
    if 'HIERARCHY' not in text or 'MOTION' not in text:
        raise ValueError('no BVH: HIERARCHY or MOTION is missing')
    lines = iter(enumerate(text.splitlines(), 1))
    out = BVH()
    _parse_hierarchy(out, lines)
    _parse_motion(out, lines)
    if out.parents.count(-1) > 1:
        _keep_largest(out)
    return out


def _parse_hierarchy(out: BVH, lines: Iterator[tuple[int, str]]) -> None:
    open_joints: list[int] = []
    for number, line in lines:
        words = line.replace('{', ' ').split()
        kind = words[0] if words else ''
        if kind in ('ROOT', 'JOINT', 'End') and (kind == 'ROOT') != bool(open_joints):
            name = ' '.join(words[1:])
            if kind == 'End':
                name = f'{out.joints[open_joints[-1]]} end'
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
            if (
                words[1:2] != [str(len(channels))]
                or len(set(channels)) < len(channels)
                or not all(map(known.fullmatch, channels))
            ):
                raise ValueError(f'broken hierarchy: CHANNELS of line {number}')
            out.channels[open_joints[-1]] = channels
        elif kind and set(''.join(words)) == {'}'}:
            for _ in ''.join(words):
                if not open_joints:
                    raise ValueError(f'broken hierarchy: too many }} in line {number}')
                open_joints.pop()
        elif kind == 'MOTION':
            break
        elif kind not in ('', 'HIERARCHY'):
            raise ValueError(
                f'broken hierarchy: {line.strip()[:40]!r} in line {number}'
            )
    if open_joints or not out.joints:
        raise ValueError('broken hierarchy: a joint does not end')


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
    columns = sum(map(len, out.channels))
    text = ' '.join(line for _, line in lines)
    try:
        numbers = np.array(text.replace(',', '.').split(), dtype=np.float64)
    except ValueError as error:
        raise ValueError(f'not a number: {error}') from error
    frames, rest = divmod(numbers.size, columns) if columns else (0, 0)
    if rest or not frames:
        raise ValueError(
            f'truncated: {numbers.size} numbers, not {head["Frames"]:g} frames of '
            f'{columns}'
        )
    if frames * len(out.joints) > _MAX_JOINTS:
        raise ValueError(f'too large: {frames} frames of {len(out.joints)} joints')
    if frames != head['Frames']:
        out.notes.append('another number of frames than its header says')
    out.motion = numbers.reshape(frames, columns)
    out.frame_time = head['Frame Time']


def _keep_largest(out: BVH) -> None:
    """Keep the skeleton with the most joints."""
    roots = [joint for joint, parent in enumerate(out.parents) if parent < 0]
    trees = list(pairwise([*roots, len(out.joints)]))
    start, stop = max(trees, key=lambda tree: tree[1] - tree[0])
    column = sum(map(len, out.channels[:start]))
    out.channels = out.channels[start:stop]
    out.motion = out.motion[:, column : column + sum(map(len, out.channels))]
    out.joints, out.offsets = out.joints[start:stop], out.offsets[start:stop]
    out.parents = [max(parent - start, -1) for parent in out.parents[start:stop]]
    out.notes.append('a second skeleton, left out')


def _floats(words: Sequence[str], number: int) -> list[float]:
    try:
        return [float(word.replace(',', '.')) for word in words]
    except ValueError:
        raise ValueError(f'not a number: line {number}') from None


def _find_hips(bvh: BVH, index: Mapping[tuple[str, str], int]) -> int | None:
    """The joint with this name, or else the joint that is the parent of both legs."""
    legs = [find_joint(index, side, 'hip') for side in ('left', 'right')]
    hips = find_joint(index, '', 'hips')
    if hips is not None or None in legs:
        return hips
    paths = []
    for joint in legs:
        path = []
        while (joint := bvh.parents[joint]) >= 0:  # type: ignore[index]
            path.append(joint)
        paths.append(path)
    return next((joint for joint in paths[0] if joint in paths[1]), None)


def layout_of(bvh: BVH, name: str = 'bvh') -> dict[str, Any]:
    """The skeleton of a file as a layout dict.

    The names of the joints say which are left and right.
    """
    index = index_joints(bvh.joints)
    pairs = [
        (joint, index['right', part])
        for (side, part), joint in index.items()
        if side == 'left' and ('right', part) in index
    ]
    shoulders = [find_joint(index, side, 'shoulder') for side in ('right', 'left')]
    hips = _find_hips(bvh, index)
    return dict(
        name=name,
        joints=list(bvh.joints),
        bones=[(joint, p) for joint, p in enumerate(bvh.parents) if p >= 0],
        mirror_pairs=sorted(pairs),
        center=bvh.parents.index(-1) if hips is None else hips,
        shoulders=None if None in shoulders else tuple(shoulders),
    )


class BVHConverter(LabelledFolder):
    """The BVH files of a folder, as joints in metres, one person per clip.

    Without a layout, the skeleton of the first file is used, and stored as a dict in the
    result and the report; files with other skeletons are skipped.

    Args:
        folder, labels, val_subjects: As in :class:`LabelledFolder`.
        layout (str | dict, optional): The skeleton of the result. Joints are taken from the
            files by name, or computed from others.
        fps (float, optional): Lower bound of the frame rate: every n-th frame is kept, with
            the largest possible n. None: all frames.
        max_frames (int, optional): Longer clips are skipped.

    Raises:
        ValueError: If a setting is out of range, or no file can be read.
    """

    suffixes = ('.bvh',)
    num_person = 1
    find_orientation = True
    unit = 0.01

    def __init__(
        self,
        folder: str | Path,
        labels: str | Path | None = None,
        val_subjects: Sequence[str] = (),
        layout: str | dict | None = None,
        fps: float | None = None,
        max_frames: int | None = None,
    ) -> None:
        super().__init__(folder, labels, val_subjects)
        if layout is not None and get_layout(layout).coordinates == '2d':
            raise ValueError(
                f'layout={layout!r} is 2d, but motion capture is 3-D; choose '
                "another, or leave it out for the files' own skeleton."
            )
        if fps is not None and not fps > 0:
            raise ValueError(f'fps={fps} is not above 0; write frames per second.')
        self.fps = fps
        self.max_frames = max_frames
        self._is_mapped = layout is not None
        self.layout = layout or self._first_layout()

    def _first_layout(self) -> dict[str, Any]:
        """The skeleton of the first file that can be read."""
        reason = ''
        for clip in self.clips():
            try:
                return layout_of(parse_bvh(_read(Path(clip.files[0]))))
            except (ValueError, OSError) as error:
                # It will be listed among the skipped files.
                reason = reason or f': {clip.files[0]}: {error}'
        raise ValueError(f'{self.folder} holds no BVH file that can be read{reason}.')

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file."""
        bvh = parse_bvh(_read(path))
        if self.fps is not None and bvh.frame_time * self.fps > 0:
            # The addend, for 1/120 in a file has been rounded.
            step = 1 / (bvh.frame_time * self.fps) + 1e-3
            bvh.motion = bvh.motion[:: int(np.clip(step, 1, len(bvh.motion)))]
        own = layout_of(bvh)
        if self._is_mapped:
            x = torch.from_numpy(bvh.positions())
            keypoint = map_joints(x, own, self.layout).numpy()
        elif any(own[key] != self.layout[key] for key in ('joints', 'bones')):  # type: ignore[index]
            raise ValueError(
                'another skeleton: its joints are not those of the first file; '
                'convert it apart, or all to one layout'
            )
        else:
            keypoint = bvh.positions()
        return dict(keypoint=keypoint[None], notes=bvh.notes)


def _read(path: Path) -> str:
    return path.read_text(encoding='utf-8-sig', errors='replace')
