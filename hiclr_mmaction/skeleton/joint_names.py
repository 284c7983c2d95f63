"""Names of joints, and the parts of the body that they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from os.path import commonprefix

# Names without their side, most specific first. Those of motion capture name the bone
# that starts at the joint: the `Leg` starts at the knee.
_CALLED = dict(
    hips=('hips', 'pelvis', 'hip', 'hipcenter', 'baseofspine'),
    spine=(
        'spine', 'spine1', 'abdomen', 'abdomenlower', 'navel', 'lowerback', 'middleofspine',
        'chest',
    ),
    chest=(
        'spine3', 'spine2', 'spine1', 'chest', 'chestupper', 'thorax', 'upperchest',
        'abdomenupper', 'spine', 'abdomenlower',
    ),
    neck=('neck', 'neck1', 'necklower', 'shouldercenter'),
    head=('head',),
    nose=('nose',),
    shoulder=('arm', 'upperarm', 'uparm', 'shldr', 'shldrbend', 'shoulder'),
    elbow=('forearm', 'forearmbend', 'lowerarm', 'lowarm', 'elbow'),
    wrist=('wrist', 'hand'),
    hand=('handindex1', 'handmiddle1', 'handend', 'wristend', 'hand', 'wrist'),
    thumb=('handthumb2', 'handthumb1', 'thumb', 'thumb1', 'handend', 'hand', 'wrist'),
    hip=('upleg', 'upperleg', 'thigh', 'thighbend', 'hip'),
    knee=('leg', 'lowerleg', 'lowleg', 'shin', 'calf', 'knee'),
    ankle=('ankle', 'foot'),
    foot=(
        'toebase', 'toe', 'toes', 'tipoffoot', 'footend', 'ankleend', 'foot', 'ankle',
    ),
)  # fmt: skip
_MIDDLE = ('hips', 'spine', 'chest', 'neck', 'head', 'nose')
# Parts that have a side.
_SIDED = {
    *(name for part, names in _CALLED.items() if part not in _MIDDLE for name in names),
    'bigtoe', 'clavicle', 'collar', 'ear', 'eye', 'eyeinner', 'eyeouter', 'fingertip',
    'footindex', 'handtip', 'heel', 'index', 'pinky', 'smalltoe',
}  # fmt: skip


def side_and_words(joint: str) -> tuple[str, list[str]]:
    """``('left', ['fore', 'arm'])`` for ``LeftForeArm``, ``L_ForeArm``, ``foreArm.l``.

    A letter for the side may also be joined to a known part: ``Lshoulder``, ``KNEER``.
    The side of a joint in the middle is ``''``.
    """
    name = joint.split(':')[-1]
    if found := re.search('left|right', name, re.IGNORECASE):
        name = f'{name[: found.start()]} {name[found.end() :]}'
        return found[0].lower(), _words(name)
    words = _words(name)
    letters = _letters(name)
    for side in ('left', 'right'):
        if side[0] in words:
            words.remove(side[0])
            return side, words
        for part in (letters[1:], letters[:-1]):
            if part in _SIDED and letters in (side[0] + part, part + side[0]):
                return side, [part]
    return '', words


def side_and_part(joint: str) -> tuple[str, str]:
    """``('left', 'forearm')``: as :func:`side_and_words`, in one word."""
    side, words = side_and_words(joint)
    return side, _letters(''.join(words))


def _words(name: str) -> list[str]:
    name = re.sub(r'([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])', r'\1\3 \2', name)
    return re.findall('[a-z0-9]+', name.lower())


def _letters(name: str) -> str:
    """Letters and digits alone; 01 is 1."""
    return re.sub(r'0+(?=\d)', '', re.sub('[^a-z0-9]', '', name.lower()))


def index_joints(joints: Sequence[str]) -> dict[tuple[str, str], int]:
    """The (first) joint of each side and part.

    A prefix of all names, such as ``Bip01``, does not count.
    """
    prefix = re.match(r'(.*[\d _.:-])?', commonprefix(list(joints)))[0]  # type: ignore[index]
    if side_and_part(prefix)[0]:
        prefix = ''
    parts = [side_and_part(joint.removeprefix(prefix)) for joint in joints]
    return {part: joint for joint, part in reversed(list(enumerate(parts)))}


def find_joint(
    index: Mapping[tuple[str, str], int], side: str, part: str
) -> int | None:
    """The joint that is a part of the body, by what it is called.

    Args:
        index (dict): Of :func:`index_joints`.
        side (str): ``'left'``, ``'right'`` or ``''``.
        part (str): ``'hips'``, ``'shoulder'``, ``'knee'``, ...

    Returns:
        int | None: None if no joint is called so.
    """
    for name in _CALLED[part]:
        if (side, name) in index:
            return index[side, name]
    return None
