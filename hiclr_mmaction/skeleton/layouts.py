"""Skeleton layouts: joints, bones, left/right pairs and centre."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from numbers import Integral

# The three coordinates of a joint: x, y, z, or x, y in an image and a detection score.
COORDINATES = ('3d', '2d')

# Names in layout dicts of earlier versions.
_MOST_JOINTS = 10_000
_FORMER_COORDINATES = {'xyz': '3d', 'xys': '2d'}


@dataclass(frozen=True)
class SkeletonLayout:
    """The joints of a skeleton and their connections.

    Attributes:
        name (str): The name by which configs call it.
        num_joints (int): Number of joints, ``V``.
        bones (tuple[tuple[int, int]]): Pairs (child, parent) of a tree: each joint but
            the root is the child of one bone.
        mirror (tuple[int]): Permutation of the joints that exchanges left and
            right; joint ``v`` of the mirrored body is joint ``mirror[v]``.
        center (int): The joint that alignment subtracts, and the centre of
            the graph in the ``stgcn_spatial`` partition.
        shoulders (tuple[int, int] | None): (right, left) joints of the line
            that is turned into the image plane. None: there is no such line.
        joints (tuple[str]): Names of the joints; may be empty.
        coordinates (str): ``'3d'``: x, y, z in metres, y up; ``'2d'``: x, y in pixels,
            y down, and the score of the detection, 0 where the joint was not seen.

    Raises:
        ValueError: If the parts contradict each other.
    """

    name: str
    num_joints: int
    bones: tuple[tuple[int, int], ...]
    mirror: tuple[int, ...]
    center: int
    shoulders: tuple[int, int] | None = None
    joints: tuple[str, ...] = ()
    coordinates: str = '3d'

    @property
    def num_axes(self) -> int:
        """Number of spatial coordinates: 3, or 2."""
        return 2 if self.coordinates == '2d' else 3

    def __post_init__(self) -> None:
        problems = [f'layout {self.name!r}: {problem}' for problem in self._problems()]
        if problems:
            raise ValueError('\n'.join(problems))

    def _problems(self) -> Iterator[str]:
        if not _is_whole(self.num_joints) or self.num_joints < 1:
            yield (
                f'num_joints={self.num_joints!r} is not a whole number above 0; write '
                'how many joints there are.'
            )
            return
        if self.coordinates not in COORDINATES:
            yield (
                f"coordinates={self.coordinates!r} is unknown; it is '3d' (x, y, z) or "
                "'2d' (x, y in an image, and a score)."
            )
        if self.joints and len(self.joints) != self.num_joints:
            yield (
                f'{len(self.joints)} joint names for num_joints={self.num_joints}; give '
                'one name per joint, or none.'
            )
        yield from self._no_joints('center', self.center)
        if self.shoulders is not None:
            if len(self.shoulders) != 2 or self.shoulders[0] == self.shoulders[1]:
                yield (
                    f'shoulders={self.shoulders} are not two joints; write (right, '
                    'left), or None.'
                )
            yield from self._no_joints('shoulders', *self.shoulders)
        unknown = [*self._no_joints('mirror', *self.mirror)]
        yield from unknown
        if not unknown and (
            len(self.mirror) != self.num_joints
            or any(self.mirror[other] != v for v, other in enumerate(self.mirror))
        ):
            yield (
                f'mirror={list(self.mirror)} is not a permutation of the '
                f'{self.num_joints} joints that undoes itself; write for each joint '
                'the index of its left/right counterpart (its own for a middle one).'
            )
        yield from self._no_tree()

    def _no_joints(self, setting: str, *values: object) -> Iterator[str]:
        """A sentence for the first of some values that is no joint."""
        for v in values:
            if not _is_whole(v) or not 0 <= v < self.num_joints:  # type: ignore[operator]
                yield f'{setting} names joint {v!r}; joints are 0 to {self.num_joints - 1}.'
                return

    def _no_tree(self) -> Iterator[str]:
        """A sentence unless the bones connect all joints without a cycle."""
        unknown = [*self._no_joints('bones', *(v for bone in self.bones for v in bone))]
        if unknown:
            yield from unknown
            return
        children = [child for child, _ in self.bones]
        twice = sorted({v for v in children if children.count(v) > 1})
        if twice:
            yield (
                f'joints {twice} are the child of more than one bone; a joint has one '
                'parent.'
            )
            return
        parents = dict(self.bones)
        for joint in children:
            path = [joint]
            while (parent := parents.get(path[-1])) is not None:
                path.append(parent)
                if parent == joint:
                    yield (
                        f'bones lead from joint {joint} back to itself '
                        f'({" -> ".join(map(str, path))}); remove one of them.'
                    )
                    return
                if len(path) > self.num_joints:
                    break  # A cycle further up, found from a joint of it.
        roots = [v for v in range(self.num_joints) if v not in parents]
        if len(roots) > 1:
            yield (
                f'joints {roots} have no parent, so the bones do not connect them; add '
                'bones (child, parent) until one joint without is left.'
            )

    def graph_cfg(self, mode: str = 'stgcn_spatial') -> dict:
        """The skeleton as ``graph_cfg`` of MMAction2's GCN backbones.

        Args:
            mode (str): Partition of the adjacency, as in
                :class:`mmaction.models.utils.Graph`.

        Returns:
            dict: ``layout`` (with ``num_node``, ``inward``, ``center``) and ``mode``.
        """
        layout = dict(
            num_node=self.num_joints, inward=list(self.bones), center=self.center
        )
        return dict(layout=layout, mode=mode)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _mirror(num_joints: int, pairs: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Permutation that exchanges the two joints of each pair."""
    permutation = list(range(num_joints))
    for left, right in pairs:
        permutation[left], permutation[right] = right, left
    return tuple(permutation)


# fmt: off
_NTU_JOINTS = (
    'base of spine', 'middle of spine', 'neck', 'head', 'left shoulder', 'left elbow',
    'left wrist', 'left hand', 'right shoulder', 'right elbow', 'right wrist',
    'right hand', 'left hip', 'left knee', 'left ankle', 'left foot', 'right hip',
    'right knee', 'right ankle', 'right foot', 'spine', 'tip of left hand',
    'left thumb', 'tip of right hand', 'right thumb',
)

_NTU_MIRROR = _mirror(25, [
    (4, 8), (5, 9), (6, 10), (7, 11), (12, 16), (13, 17), (14, 18), (15, 19), (21, 23),
    (22, 24),
])

_NTU_BODY = (
    (0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8),
    (10, 9), (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16),
    (18, 17), (19, 18),
)

_LAYOUTS = (
    # Edges as in MMAction2: fingertip and thumb both hang on the hand.
    SkeletonLayout(
        name='nturgb+d',
        num_joints=25,
        bones=(*_NTU_BODY, (21, 7), (22, 7), (23, 11), (24, 11)),
        mirror=_NTU_MIRROR,
        center=20,
        shoulders=(8, 4),
        joints=_NTU_JOINTS,
    ),
    # Edges as in the original ST-GCN and in HiCLR: the fingertip hangs on the
    # thumb. Weights of the released project need this one.
    SkeletonLayout(
        name='nturgb+d-stgcn',
        num_joints=25,
        bones=(*_NTU_BODY, (21, 22), (22, 7), (23, 24), (24, 11)),
        mirror=_NTU_MIRROR,
        center=20,
        shoulders=(8, 4),
        joints=_NTU_JOINTS,
    ),
    # Kinect v1 (NW-UCLA, MSR-Action3D); the centre is the shoulder centre.
    SkeletonLayout(
        name='kinect20',
        num_joints=20,
        bones=(
            (0, 1), (1, 2), (3, 2), (4, 2), (5, 4), (6, 5), (7, 6), (8, 2), (9, 8),
            (10, 9), (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0),
            (17, 16), (18, 17), (19, 18),
        ),
        mirror=_mirror(20, [
            (4, 8), (5, 9), (6, 10), (7, 11), (12, 16), (13, 17), (14, 18), (15, 19),
        ]),
        center=2,
        shoulders=(8, 4),
        joints=(
            'hip center', 'spine', 'shoulder center', 'head', 'left shoulder',
            'left elbow', 'left wrist', 'left hand', 'right shoulder', 'right elbow',
            'right wrist', 'right hand', 'left hip', 'left knee', 'left ankle',
            'left foot', 'right hip', 'right knee', 'right ankle', 'right foot',
        ),
    ),
    # OpenNI's tracker, in the order of its 15-joint files (e.g. SBU).
    SkeletonLayout(
        name='openni15',
        num_joints=15,
        bones=(
            (0, 1), (2, 1), (3, 1), (4, 3), (5, 4), (6, 1), (7, 6), (8, 7), (9, 2),
            (10, 9), (11, 10), (12, 2), (13, 12), (14, 13),
        ),
        mirror=_mirror(15, [
            (3, 6), (4, 7), (5, 8), (9, 12), (10, 13), (11, 14),
        ]),
        center=1,
        shoulders=(6, 3),
        joints=(
            'head', 'neck', 'torso', 'left shoulder', 'left elbow', 'left hand',
            'right shoulder', 'right elbow', 'right hand', 'left hip', 'left knee',
            'left foot', 'right hip', 'right knee', 'right foot',
        ),
    ),
    # Azure Kinect, as its body tracking SDK has it.
    SkeletonLayout(
        name='azure_kinect',
        num_joints=32,
        bones=(
            (1, 0), (2, 1), (3, 2), (4, 2), (5, 4), (6, 5), (7, 6), (8, 7), (9, 8),
            (10, 7), (11, 2), (12, 11), (13, 12), (14, 13), (15, 14), (16, 15),
            (17, 14), (18, 0), (19, 18), (20, 19), (21, 20), (22, 0), (23, 22),
            (24, 23), (25, 24), (26, 3), (27, 26), (28, 26), (29, 26), (30, 26),
            (31, 26),
        ),
        mirror=_mirror(32, [
            (4, 11), (5, 12), (6, 13), (7, 14), (8, 15), (9, 16), (10, 17), (18, 22),
            (19, 23), (20, 24), (21, 25), (28, 30), (29, 31),
        ]),
        center=2,
        shoulders=(12, 5),
        joints=(
            'pelvis', 'navel', 'chest', 'neck', 'left clavicle', 'left shoulder',
            'left elbow', 'left wrist', 'left hand', 'tip of left hand', 'left thumb',
            'right clavicle', 'right shoulder', 'right elbow', 'right wrist',
            'right hand', 'tip of right hand', 'right thumb', 'left hip', 'left knee',
            'left ankle', 'left foot', 'right hip', 'right knee', 'right ankle',
            'right foot', 'head', 'nose', 'left eye', 'left ear', 'right eye',
            'right ear',
        ),
    ),
    # Human3.6M's 17 joints, as VideoPose3D and MMPose have them.
    SkeletonLayout(
        name='h36m',
        num_joints=17,
        bones=(
            (1, 0), (2, 1), (3, 2), (4, 0), (5, 4), (6, 5), (7, 0), (8, 7), (9, 8),
            (10, 9), (11, 8), (12, 11), (13, 12), (14, 8), (15, 14), (16, 15),
        ),
        mirror=_mirror(17, [
            (1, 4), (2, 5), (3, 6), (14, 11), (15, 12), (16, 13),
        ]),
        center=8,
        shoulders=(14, 11),
        joints=(
            'hips', 'right hip', 'right knee', 'right ankle', 'left hip', 'left knee',
            'left ankle', 'spine', 'thorax', 'neck', 'head', 'left shoulder',
            'left elbow', 'left wrist', 'right shoulder', 'right elbow', 'right wrist',
        ),
    ),
    # The joints of the SMPL body model (AMASS, BABEL, ...).
    SkeletonLayout(
        name='smpl',
        num_joints=24,
        bones=(
            (1, 0), (2, 0), (3, 0), (4, 1), (5, 2), (6, 3), (7, 4), (8, 5), (9, 6),
            (10, 7), (11, 8), (12, 9), (13, 9), (14, 9), (15, 12), (16, 13), (17, 14),
            (18, 16), (19, 17), (20, 18), (21, 19), (22, 20), (23, 21),
        ),
        mirror=_mirror(24, [
            (1, 2), (4, 5), (7, 8), (10, 11), (13, 14), (16, 17), (18, 19), (20, 21),
            (22, 23),
        ]),
        center=9,
        shoulders=(17, 16),
        joints=(
            'pelvis', 'left hip', 'right hip', 'spine1', 'left knee', 'right knee',
            'spine2', 'left ankle', 'right ankle', 'spine3', 'left foot', 'right foot',
            'neck', 'left collar', 'right collar', 'head', 'left shoulder',
            'right shoulder', 'left elbow', 'right elbow', 'left wrist', 'right wrist',
            'left hand', 'right hand',
        ),
    ),
    # COCO keypoints, edges as in MMAction2 (both shoulders hang on the nose).
    SkeletonLayout(
        name='coco',
        num_joints=17,
        bones=(
            (15, 13), (13, 11), (16, 14), (14, 12), (11, 5), (12, 6), (9, 7), (7, 5),
            (10, 8), (8, 6), (5, 0), (6, 0), (1, 0), (3, 1), (2, 0), (4, 2),
        ),
        mirror=_mirror(17, [
            (1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16),
        ]),
        center=0,
        shoulders=(6, 5),
        joints=(
            'nose', 'left eye', 'right eye', 'left ear', 'right ear', 'left shoulder',
            'right shoulder', 'left elbow', 'right elbow', 'left wrist', 'right wrist',
            'left hip', 'right hip', 'left knee', 'right knee', 'left ankle',
            'right ankle',
        ),
        coordinates='2d',
    ),
    # OpenPose's 18 keypoints, edges as in MMAction2.
    SkeletonLayout(
        name='openpose',
        num_joints=18,
        bones=(
            (4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8),
            (11, 5), (8, 2), (5, 1), (2, 1), (0, 1), (15, 0), (14, 0), (17, 15),
            (16, 14),
        ),
        mirror=_mirror(18, [
            (2, 5), (3, 6), (4, 7), (8, 11), (9, 12), (10, 13), (14, 15), (16, 17),
        ]),
        center=1,
        shoulders=(2, 5),
        joints=(
            'nose', 'neck', 'right shoulder', 'right elbow', 'right wrist',
            'left shoulder', 'left elbow', 'left wrist', 'right hip', 'right knee',
            'right ankle', 'left hip', 'left knee', 'left ankle', 'right eye',
            'left eye', 'right ear', 'left ear',
        ),
        coordinates='2d',
    ),
    # OpenPose's 25 keypoints, BODY_25.
    SkeletonLayout(
        name='body_25',
        num_joints=25,
        bones=(
            (0, 1), (2, 1), (3, 2), (4, 3), (5, 1), (6, 5), (7, 6), (8, 1), (9, 8),
            (10, 9), (11, 10), (12, 8), (13, 12), (14, 13), (15, 0), (16, 0), (17, 15),
            (18, 16), (19, 14), (20, 19), (21, 14), (22, 11), (23, 22), (24, 11),
        ),
        mirror=_mirror(25, [
            (2, 5), (3, 6), (4, 7), (9, 12), (10, 13), (11, 14), (15, 16), (17, 18),
            (19, 22), (20, 23), (21, 24),
        ]),
        center=1,
        shoulders=(2, 5),
        joints=(
            'nose', 'neck', 'right shoulder', 'right elbow', 'right wrist',
            'left shoulder', 'left elbow', 'left wrist', 'hips', 'right hip',
            'right knee', 'right ankle', 'left hip', 'left knee', 'left ankle',
            'right eye', 'left eye', 'right ear', 'left ear', 'left big toe',
            'left small toe', 'left heel', 'right big toe', 'right small toe',
            'right heel',
        ),
        coordinates='2d',
    ),
    # MediaPipe's pose landmarks, in the image with their visibility; the shoulders
    # hang on the nose, as in the two above. For world landmarks (metres)
    # write dict(base='mediapipe', coordinates='3d').
    SkeletonLayout(
        name='mediapipe',
        num_joints=33,
        bones=(
            (1, 0), (2, 1), (3, 2), (7, 3), (4, 0), (5, 4), (6, 5), (8, 6), (9, 0),
            (10, 0), (11, 0), (12, 0), (13, 11), (15, 13), (17, 15), (19, 15), (21, 15),
            (14, 12), (16, 14), (18, 16), (20, 16), (22, 16), (23, 11), (25, 23),
            (27, 25), (29, 27), (31, 27), (24, 12), (26, 24), (28, 26), (30, 28),
            (32, 28),
        ),
        mirror=_mirror(33, [
            (1, 4), (2, 5), (3, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16),
            (17, 18), (19, 20), (21, 22), (23, 24), (25, 26), (27, 28), (29, 30),
            (31, 32),
        ]),
        center=0,
        shoulders=(12, 11),
        joints=(
            'nose', 'inner left eye', 'left eye', 'outer left eye', 'inner right eye',
            'right eye', 'outer right eye', 'left ear', 'right ear',
            'left corner of mouth', 'right corner of mouth', 'left shoulder',
            'right shoulder', 'left elbow', 'right elbow', 'left wrist', 'right wrist',
            'left little finger', 'right little finger', 'left index finger',
            'right index finger', 'left thumb', 'right thumb', 'left hip', 'right hip',
            'left knee', 'right knee', 'left ankle', 'right ankle', 'left heel',
            'right heel', 'left tip of foot', 'right tip of foot',
        ),
        coordinates='2d',
    ),
)
# fmt: on

LAYOUTS: dict[str, SkeletonLayout] = {layout.name: layout for layout in _LAYOUTS}


def get_layout(layout: str | Mapping | SkeletonLayout) -> SkeletonLayout:
    """Find a layout by name, or make one from a dict.

    A module in ``custom_imports`` may add a layout to :data:`LAYOUTS`; configs then use
    its name.

    Args:
        layout (str | dict | SkeletonLayout): A name of :data:`LAYOUTS`, or a dict
            for a custom skeleton: ``bones`` (child, parent) and ``center``
            are needed, and one of ``num_joints`` and ``joints`` (names); also
            ``mirror`` (a permutation) or ``mirror_pairs`` (left, right), without
            which nothing is mirrored, ``shoulders`` (right, left), ``coordinates``
            and ``name``. With ``base``, a layout, what the dict leaves out is as in
            that one.

    Raises:
        ValueError: If the name is unknown, or the dict is incomplete or
            contradicts itself.
    """
    if isinstance(layout, SkeletonLayout):
        return layout
    if isinstance(layout, str):
        if layout not in LAYOUTS:
            raise ValueError(
                f'layout={layout!r} is unknown; known are {", ".join(LAYOUTS)}, or '
                'write a dict with num_joints, bones, mirror_pairs, center, shoulders.'
            )
        return LAYOUTS[layout]
    if not isinstance(layout, Mapping):
        raise ValueError(
            f'layout={layout!r} is neither the name of a layout nor a dict.'
        )
    return _layout_from_dict(layout)


def _layout_from_dict(layout: Mapping) -> SkeletonLayout:
    known = {
        'base', 'name', 'num_joints', 'joints', 'bones', 'mirror', 'mirror_pairs',
        'center', 'shoulders', 'coordinates',
    }  # fmt: skip
    unknown = sorted(map(str, set(layout) - known))
    if unknown:
        raise ValueError(
            f'layout dict: unknown keys {unknown}; known are {sorted(known)}.'
        )
    if layout.get('base') is not None:
        known_parts = asdict(get_layout(layout['base']))
        if 'mirror_pairs' in layout:
            del known_parts['mirror']
        layout = {**known_parts, **layout}
    joints = _list_of(layout, 'joints')
    num_joints = layout.get('num_joints', len(joints))
    missing = [key for key in ('bones', 'center') if layout.get(key) is None]
    if num_joints in (None, 0):
        missing.append('num_joints')
    if missing:
        raise ValueError(f'layout dict: {missing} missing; a skeleton needs them.')
    if _is_whole(num_joints) and num_joints > _MOST_JOINTS:
        raise ValueError(
            f'layout dict: num_joints is above {_MOST_JOINTS:,}, more than a skeleton '
            'has; write how many joints there are.'
        )
    if 'mirror' in layout and 'mirror_pairs' in layout:
        raise ValueError('layout dict: give mirror or mirror_pairs, not both.')
    mirror = _list_of(layout, 'mirror')
    if 'mirror' not in layout and _is_whole(num_joints):
        pairs = _list_of(layout, 'mirror_pairs', '(left, right)')
        mirror = _mirror(num_joints, _check_pairs(pairs, num_joints))
    shoulders = _list_of(layout, 'shoulders')
    coordinates = layout.get('coordinates', '3d')
    return SkeletonLayout(
        name=layout.get('name', 'custom'),
        num_joints=num_joints,
        bones=_list_of(layout, 'bones', '(child, parent)'),
        mirror=mirror,
        center=layout['center'],
        shoulders=None if layout.get('shoulders') is None else shoulders,
        joints=joints,
        coordinates=_FORMER_COORDINATES.get(str(coordinates), coordinates),
    )


def _list_of(layout: Mapping, key: str, pair: str = '') -> tuple:
    """A list of a layout dict as a tuple; its pairs too, where it holds pairs."""
    value = layout.get(key)
    try:
        items = () if value is None else tuple(value)
        if pair:
            items = tuple((first, second) for first, second in items)
    except (TypeError, ValueError):
        items = None
    if items is None or isinstance(value, str):
        form = f'of pairs {pair}' if pair else 'of one entry a joint'
        raise ValueError(
            f'layout dict: {key}={value!r} is not a list {form}; write one.'
        )
    return items


def _check_pairs(pairs: tuple, num_joints: int) -> tuple:
    """Raise a ValueError unless the pairs name joints, each of them once."""
    joints = [v for pair in pairs for v in pair]
    for v in joints:
        if not _is_whole(v) or not 0 <= v < num_joints:
            raise ValueError(
                f'layout dict: mirror_pairs names joint {v!r}; joints are 0 to '
                f'{num_joints - 1}.'
            )
        if joints.count(v) > 1:
            raise ValueError(
                f'layout dict: mirror_pairs names joint {v} more than once; a joint has '
                'one counterpart, and one in the middle is not listed.'
            )
    return pairs
