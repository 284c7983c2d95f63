"""JSON of pose estimators and depth cameras.

A file is a list of frames (bare, under a key, or a dict by frame number), one frame, or
COCO's list of persons with the image that each is in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .form import (
    NOBODY,
    OTHER_JOINTS,
    OTHER_ORDER,
    TRACKING_STATES,
    Form,
    Options,
    Person,
    Recording,
    columns,
    follow,
    numbers,
)
from .joints import in_order, joints_of, looks_like, match

_FRAME_LISTS = ('instance_info', 'frames', 'data', 'results', 'predictions')
_PERSON_LISTS = ('instances', 'poses', 'predictions', 'persons')
# Without case and punctuation.
_FRAME_NUMBERS = (
    'frameid', 'frameindex', 'frameidx', 'frame', 'framenumber', 'frameno', 'framenum',
)  # fmt: skip
_TIMES = ('timestamp', 'timestampms', 'time', 'timems')
_PERSON_IDS = (
    'track_id', 'instance_id', 'id', 'person_id', 'trackingId', 'body_id', 'TrackingId',
    'idx',
)  # fmt: skip
_SCORES = ('visibility', 'score', 'confidence', 'likelihood')
_IMAGE_LANDMARKS = ('pose_landmarks', 'poseLandmarks')
_WORLD_LANDMARKS = (
    'pose_world_landmarks', 'poseWorldLandmarks', 'world_landmarks', 'worldLandmarks',
)  # fmt: skip
_LANDMARKS = (*_IMAGE_LANDMARKS, *_WORLD_LANDMARKS, 'landmarks')
# How far apart the frames of a clip may be numbered, on the average.
_MAX_STEP = 10


def read_json(path: Path, options: Options) -> Recording:
    """Read a JSON file.

    Raises:
        ValueError: If it is not JSON, of no known form, or damaged.
    """
    return read_images([path], options)


def read_images(paths: Sequence[Path], options: Options) -> Recording:
    """Read files of one image each, in the order given, as one clip; or one file."""
    facts: dict[str, Any] = {}
    try:
        if len(paths) == 1:
            frames = _frames(_load(paths[0]), options, facts)
        else:
            numbered = _image_numbers([path.name for path in paths])
            frames = {
                numbered[path.name]: _only(_frames(_load(path), options, facts))
                for path in paths
            }
            _check_numbers(frames, len(paths))
    except (
        ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
    ) as error:  # fmt: skip
        raise ValueError(f'damaged JSON: {type(error).__name__}: {error}') from error
    notes = _choose_joints(frames, options)
    largest = max(paths, key=lambda path: path.stat().st_size * len(paths))
    return Recording(follow(frames, options.num_person, largest), facts, notes)


def is_image(path: Path) -> bool | None:
    """Whether a JSON file is of one image; None if it contains no person."""
    if not path.is_file():
        return None
    try:
        content = _load(path)
    except (OSError, ValueError):
        return None
    if isinstance(content, Mapping):
        return 'people' in content
    if not isinstance(content, list) or not content:
        return None
    first = content[0]
    others = {*_FRAME_NUMBERS, *_TIMES, 'imageid'}
    return (
        isinstance(first, Mapping)
        and 'keypoints' in first
        and not others & set(map(_plain, first))
    )


def _load(path: Path) -> Any:
    """The content of a file; a list of frames if there is one line per frame."""
    data = path.read_bytes()
    utf16 = data[:2] in (b'\xff\xfe', b'\xfe\xff')
    try:
        text = data.decode('utf-16' if utf16 else 'utf-8-sig')
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            lines = [line for line in text.splitlines() if line.strip()]
            if not error.msg.startswith('Extra data') or len(lines) < 2:
                raise
            return [json.loads(line) for line in lines]
    except RecursionError:
        raise ValueError('not JSON: nested too deeply') from None
    except ValueError as error:
        raise ValueError(f'not JSON: {error}') from error


# ---------------------------------------------------------------------------
# Frames of a file
# ---------------------------------------------------------------------------


def _frames(
    content: Any, options: Options, facts: dict[str, Any]
) -> dict[int, list[Person]]:
    """The persons of each frame of a file."""
    for form in FILE_FORMS:
        if form.recognise(content):
            return form.read(content, options, facts)
    frames = list(_list_frames(content))
    if isinstance(content, Mapping) and _is_whole(content.get('label_index')):
        facts['label'] = content['label_index']
    if not frames:
        raise ValueError('empty: it has no frame')
    forms = (f for _, frame in frames for f in FRAME_FORMS if f.recognise(frame))
    found = next(forms, None)
    if found is None:
        if all(_is_empty(frame) for _, frame in frames):
            raise ValueError(NOBODY)
        example = next((f for _, f in frames if not _is_empty(f)), content)
        raise ValueError(f'unknown JSON: {_shape_of(example)}')
    names = _meta_names(content)
    out = {}
    for number, frame in frames:
        try:
            persons = [] if _is_empty(frame) else found.read(frame, options, facts)
        except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
            raise ValueError(
                f'damaged JSON: frame {number} is not a frame of {found.name}: '
                f'{type(error).__name__}: {error}'
            ) from error
        if names:
            for person in persons:
                if not person.names and len(person.values) == len(names):
                    person.names = names
        out[number] = persons
    _check_numbers(out, len(frames))
    return out


def _list_frames(content: Any) -> Iterator[tuple[int, Any]]:
    """Each frame of a file with its number."""
    if isinstance(content, Mapping):
        if content and all(_digits(key) for key in content):
            yield from sorted(
                (int(_digits(key)), frame) for key, frame in content.items()
            )
            return
        key = next((key for key in _FRAME_LISTS if key in content), None)
        content = [content] if key is None else content[key]
        if isinstance(content, Mapping):
            yield from _list_frames(content)
            return
    if not isinstance(content, list):
        raise ValueError(f'unknown JSON: {_shape_of(content)}')
    numbers = _frame_numbers(content)
    if len(set(numbers)) < len(numbers):  # a list of persons with the frame of each
        together: dict[int, list] = {}
        for number, person in zip(numbers, content, strict=True):
            if 'keypoints' not in person:
                raise ValueError(f'damaged JSON: frame {number} comes again')
            together.setdefault(number, []).append(person)
        yield from sorted(together.items())
        return
    # A list of persons of one image, such as MMPose's and Ultralytics', is one frame.
    if (
        content
        and not numbers
        and isinstance(content[0], Mapping)
        and ({'keypoint_scores', 'bbox', 'box'} & set(content[0]))
    ):
        yield 0, content
        return
    numbers = numbers or list(range(len(content)))
    yield from sorted(zip(numbers, content, strict=True), key=lambda pair: pair[0])


def _digits(key: Any) -> str:
    """The number in a frame's key, such as ``'12'`` and ``'frame_12'``."""
    found = re.fullmatch(
        r'(?:frame|image|img)?[_ ]?(\d{1,15})(?:\.\w+)?', str(key), re.I
    )
    return found[1] if found else ''


def _plain(key: Any) -> str:
    return re.sub('[^a-z]', '', str(key).lower())


def _frame_numbers(frames: Sequence[Any]) -> list[int]:
    """The number of each frame, or its rank by time; empty if some have neither."""
    plain = [
        {_plain(key): value for key, value in frame.items()}
        if isinstance(frame, Mapping)
        else {}
        for frame in frames
    ]
    for name in _FRAME_NUMBERS:
        numbers: list[Any] = [frame.get(name) for frame in plain]
        if all(map(_is_whole, numbers)):
            return [int(number) for number in numbers]
    for name in _TIMES:
        times: list[Any] = [frame.get(name) for frame in plain]
        if all(isinstance(time, int | float) for time in times):
            ranks = {time: rank for rank, time in enumerate(sorted(set(times)))}
            return [ranks[time] for time in times]
    return []


def _is_whole(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e15
        and value == int(value)
    )


def _image_numbers(names: Sequence[str]) -> dict[str, int]:
    """The number of each image: the last in its name by which all differ.

    Raises:
        ValueError: If there is none.
    """
    names = list(dict.fromkeys(names))
    found = [re.findall(r'\d{1,15}', Path(name).stem) for name in names]
    places = min(map(len, found), default=0)
    for place in range(1, places + 1):
        numbers = [int(each[-place]) for each in found]
        if len(set(numbers)) == len(names):
            return dict(zip(names, numbers, strict=True))
    if not any(found):
        return {name: rank for rank, name in enumerate(sorted(names))}
    raise ValueError(
        f'images without a number of their own: {", ".join(names[:3])}, ...; write one '
        'file a video, and one number a frame'
    )


def _only(frames: Mapping[int, list[Person]]) -> list[Person]:
    if len(frames) != 1:
        raise ValueError(
            f'unknown JSON: {len(frames)} frames in a file that is one image by its name'
        )
    return next(iter(frames.values()))


def _check_numbers(frames: Mapping[int, Any], count: int) -> None:
    if frames:
        length = max(frames) - min(frames) + 1
        if length > _MAX_STEP * max(count, 10):
            raise ValueError(
                f'frames far apart: {count} frames are numbered {min(frames)} to '
                f'{max(frames)}; they should be numbers of frames'
            )


def _is_empty(frame: Any) -> bool:
    """Whether a frame says that nobody is in it."""
    if isinstance(frame, Mapping):
        lists = [value for key, value in frame.items() if key in _PERSON_KEYS]
        return bool(lists) and all(_is_empty(value) for value in lists)
    return frame is None or frame == [] or frame == [[]]


def _shape_of(content: Any) -> str:
    known = ', '.join((*_PERSON_KEYS[:6], *_FRAME_LISTS[:2]))
    if isinstance(content, Mapping):
        keys = ', '.join(str(key)[:30] for key in list(content)[:6])
        return f'an object with the keys {keys or "(none)"}; known are {known}, ...'
    return (
        f'{str(content)[:40]!r} is not a frame; a frame is an object with {known}, ...'
    )


def _choose_joints(frames: Mapping[int, list[Person]], options: Options) -> list[str]:
    """Put the joints of all persons into the order of the layout; returns notes."""
    known: dict[tuple, list[int]] = {}
    unnamed = []
    for persons in frames.values():
        for person in persons:
            count = len(person.values)
            named = count == len(person.names)
            key = (tuple(person.names) if named else (), count)
            if key not in known:
                known[key] = (
                    match(person.names, options.layout)
                    if named
                    else in_order(count, options.layout)
                )
            person.values = person.values[known[key]]
            if not named:
                unnamed.append(person.values)
    left = any(len(joints) < count for (_, count), joints in known.items())
    notes = [OTHER_JOINTS] if left else []
    if unnamed and not looks_like(np.stack(unnamed), options.layout):
        notes.append(OTHER_ORDER)
    return notes


def _meta_names(content: Any) -> list[str]:
    """The names of the joints that MMPose writes beside the frames."""
    names = content.get('meta_info') if isinstance(content, Mapping) else None
    names = names.get('keypoint_id2name') if isinstance(names, Mapping) else None
    if not isinstance(names, Mapping) or not all(map(_digits, names)):
        return []
    return [str(names[key]) for key in sorted(names, key=lambda key: int(_digits(key)))]


# ---------------------------------------------------------------------------
# Persons of a frame
# ---------------------------------------------------------------------------


def _id(person: Mapping, keys: Sequence[str] = _PERSON_IDS) -> Hashable:
    """Who a person is: the first number or text of the first key that is there."""
    for key in keys:
        value = person.get(key)
        while isinstance(value, list) and value:
            value = value[0]  # AlphaPose writes lists of them, too
        if isinstance(value, int | float | str) and value not in (-1, ''):
            return value
    return None


def _values(joints: Any, scores: Any, options: Options) -> np.ndarray:
    """Joints ``(V, n)``, with their scores apart if there are some."""
    joints = numbers(joints)
    if joints.ndim != 2:
        raise ValueError(
            f'wrong shape: the joints of a person have shape {joints.shape}, not '
            '(joints, coordinates)'
        )
    if scores is None:
        return columns(joints, options.name_channels(joints.shape[1]))
    named = {2: 'xy', 3: 'xyz'}.get(joints.shape[1])
    if named is None:
        raise ValueError(
            f'wrong number of coordinates: {joints.shape[1]} a joint beside the scores'
        )
    out = columns(joints, named)
    scores = numbers(scores).reshape(-1)
    if len(scores) != len(out):
        raise ValueError(f'uneven lists: {len(scores)} scores for {len(out)} joints')
    out[:, 3] = scores
    return out


def _flat(joints: Any, named: str = 'xys') -> np.ndarray:
    """Joints one after the other, as COCO and OpenPose write them."""
    joints = numbers(joints)
    if joints.ndim != 1 or joints.size % len(named):
        raise ValueError(
            f'wrong number of keypoints: {joints.size} numbers, no multiple of '
            f'{len(named)}'
        )
    return columns(joints.reshape(-1, len(named)), named)


def _points(joints: Sequence[Mapping]) -> Person:
    """Joints that are objects with ``x``, ``y``, ... and perhaps a name."""
    rows, names = [], []
    for joint in joints:
        position = joint.get('position', joint)
        row = [position.get(axis) for axis in 'xyz']
        row.append(next((joint[key] for key in _SCORES if key in joint), None))
        rows.append(row)
        names.append(joint.get('name', joint.get('part')))
    return Person(
        numbers(rows).reshape(-1, 4), names=names if None not in names else ()
    )


def _is_point(value: Any) -> bool:
    position = value.get('position', value) if isinstance(value, Mapping) else None
    return isinstance(position, Mapping) and {'x', 'y'} <= set(position)


def _is_openpose(frame: Any) -> bool:
    """OpenPose's own, or what AlphaPose writes by ``--format cmu`` and ``open``."""
    if not isinstance(frame, Mapping) or 'people' in frame:
        return isinstance(frame, Mapping)
    bodies = frame.get('bodies')
    first = bodies[0] if isinstance(bodies, list) and bodies else None
    joints = first.get('joints') if isinstance(first, Mapping) else None
    return isinstance(joints, list) and _is_row(joints)


def _read_openpose(frame: Mapping, options: Options, facts: dict) -> list[Person]:
    keys = ('pose_keypoints_2d', 'pose_keypoints', 'joints')
    out = []
    for person in frame['people'] if 'people' in frame else frame['bodies']:
        flat = next((person[key] for key in keys if key in person), None)
        values = (
            _flat(person['pose_keypoints_3d'], 'xyzs')
            if options.layout.coordinates == '3d'
            else _flat(flat)
        )
        # OpenPose puts what it does not see at the origin, with score 0.
        form = {18: 'openpose', 25: 'body_25', 17: 'coco'}.get(len(values))
        out.append(Person(values, _id(person), joints_of(form) if form else ()))
    return out


def _read_kinetics(frame: Mapping, options: Options, facts: dict) -> list[Person]:
    return [
        Person(
            _values(_flat(person['pose'], 'xy')[:, :2], person['score'], options),
            names=joints_of('openpose'),
        )
        for person in frame['skeleton']
    ]


def _persons_of(frame: Any) -> list:
    if isinstance(frame, Mapping):
        frame = [frame[key] for key in _PERSON_LISTS if key in frame][0]
    # The inferencer nests the persons of an image once more.
    while isinstance(frame, list) and frame and isinstance(frame[0], list):
        if len(frame) > 1:
            raise ValueError('damaged JSON: several lists of persons in one frame')
        frame = frame[0]
    return frame


def _is_persons(frame: Any) -> bool:
    try:
        return all('keypoints' in person for person in _persons_of(frame))
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


def _read_persons(frame: Any, options: Options, facts: dict) -> list[Person]:
    return [_read_person(person, options) for person in _persons_of(frame)]


def _read_person(person: Mapping, options: Options) -> Person:
    joints = person['keypoints']
    if options.layout.coordinates == '3d' and 'keypoints3D' in person:
        joints = person['keypoints3D']
    if isinstance(joints, Mapping):  # Ultralytics
        scores = joints.get('visible', joints.get('confidence'))
        stacked = np.stack([numbers(joints[axis]) for axis in 'xy'], axis=-1)
        values = _values(stacked, scores, options)
        return Person(
            values, _id(person), joints_of('coco') if len(values) == 17 else ()
        )
    if isinstance(joints, list) and joints and _is_point(joints[0]):
        read = _points(joints)
        return Person(read.values, _id(person), read.names)
    if isinstance(joints, list) and joints and not isinstance(joints[0], list):
        return Person(_flat(joints), _id(person))
    return Person(_values(joints, person.get('keypoint_scores'), options), _id(person))


def _is_kinect(frame: Any) -> bool:
    return isinstance(frame, Mapping) and ('bodies' in frame or 'Bodies' in frame)


def _read_kinect(frame: Mapping, options: Options, facts: dict) -> list[Person]:
    out = []
    for body in frame.get('bodies', frame.get('Bodies')):
        if body.get('tracked', body.get('IsTracked', True)) is False:
            continue
        if 'joint_positions' in body:  # Azure Kinect: millimetres, y down
            facts.update(up='-y', scale=0.001)
            values = columns(body['joint_positions'], 'xyz')
            names = joints_of('azure_kinect')
        else:
            joints = body.get('joints', body.get('Joints'))
            items = joints.items() if isinstance(joints, Mapping) else enumerate(joints)
            read = [_kinect_joint(key, joint) for key, joint in items]
            names = tuple(name for name, _ in read)
            values = numbers([row for _, row in read])
        out.append(Person(values.reshape(-1, 4), _id(body), names))
    return out


def _kinect_joint(key: Any, joint: Mapping) -> tuple[str, list]:
    """The name of a joint, and its x, y, z (metres) and score."""
    position = joint.get('Position', joint.get('position', joint))
    number = joint.get('jointType', joint.get('JointType', key))
    if str(number).isdigit():
        number = joints_of('nturgb+d')[int(number)]
    row = []
    for axis in 'xyz':
        names = (f'camera{axis.upper()}', axis, axis.upper())
        row.append(next((position[name] for name in names if name in position), None))
    state = joint.get('trackingState', joint.get('TrackingState'))
    if isinstance(state, str):
        state = TRACKING_STATES[state.lower()]
    return str(number), [*row, None if state is None else state / 2]


def _is_landmarks(frame: Any) -> bool:
    if isinstance(frame, Mapping):
        return any(key in frame for key in _LANDMARKS) or (
            'keypoints' in frame and not _is_empty(frame['keypoints'])
        )
    try:
        first = frame[0]
        return _is_point(first) or _is_point(first[0]) or _is_row(first)
    except (IndexError, KeyError, TypeError):
        return False


def _is_row(value: Any) -> bool:
    """Whether it is the numbers of a joint, or the joints of a person."""
    while isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    return isinstance(value, list) and all(isinstance(x, int | float) for x in value)


def _read_landmarks(frame: Any, options: Options, facts: dict) -> list[Person]:
    if isinstance(frame, Mapping):
        world = next((key for key in _WORLD_LANDMARKS if frame.get(key)), None)
        image = next(
            (key for key in (*_IMAGE_LANDMARKS, 'landmarks') if frame.get(key)), None
        )
        if options.layout.coordinates == '3d' and world:
            facts['up'] = '-y'
            frame = frame[world]
        elif options.layout.coordinates == '3d' and image in _IMAGE_LANDMARKS:
            raise ValueError(
                f'no world landmarks: {image} are coordinates in the picture; set layout '
                'mediapipe, or save the world landmarks'
            )
        elif image is not None:
            frame = frame[image]
        elif world is not None:
            raise ValueError(
                f'no landmarks in the picture: {world} are 3-D; set layout '
                "dict(base='mediapipe', coordinates='3d')"
            )
        else:
            return [_read_person(frame, options)] if 'keypoints' in frame else []
    if isinstance(frame, Mapping):  # the protocol buffer, as JSON
        frame = frame['landmark']
    if not frame:
        return []
    several = isinstance(frame[0], list) and not isinstance(frame[0][0], int | float)
    persons = frame if several else [frame]
    return [_landmarks(joints, options, 'up' in facts) for joints in persons if joints]


def _landmarks(joints: Sequence, options: Options, world: bool) -> Person:
    person = (
        _points(joints)
        if _is_point(joints[0])
        else Person(_values(joints, None, options))
    )
    if not person.names and len(joints) == len(joints_of('mediapipe')):
        person.names = joints_of('mediapipe')
    xy = person.values[:, :2]
    flat = options.layout.coordinates == '2d'
    # The middle of the hips is the origin of world landmarks, so some are below 0.
    if not (flat or world) and (xy > 0).all() and (xy < 1).all():
        raise ValueError(
            'no world landmarks: all are between 0 and 1, so fractions of the image; '
            'set layout mediapipe, or save the world landmarks'
        )
    return person


def _rows(content: Any) -> Any:
    return content.get('annotations') if isinstance(content, Mapping) else content


def _is_coco(content: Any) -> bool:
    rows = _rows(content)
    return (
        isinstance(rows, list)
        and bool(rows)
        and all(isinstance(row, Mapping) and 'image_id' in row for row in rows)
    )


def _read_coco(content: Any, options: Options, facts: dict) -> dict[int, list[Person]]:
    """Persons by image; images without persons are empty frames."""
    frames: dict[int, list[Person]] = {}
    names: dict[Any, str] = {}
    if isinstance(content, Mapping):
        for image in content.get('images', ()):
            names[image['id']] = str(image.get('file_name', image['id']))
    rows = _rows(content)
    images = [names.get(row['image_id'], str(row['image_id'])) for row in rows]
    numbered = _image_numbers([*images, *names.values()])
    frames.update({number: [] for number in numbered.values()})
    for name, row in zip(images, rows, strict=True):
        person = Person(_flat(row['keypoints']), _id(row, _COCO_IDS))
        frames[numbered[name]].append(person)
    _check_numbers(frames, len(frames))
    return frames


# The id of a row of COCO's annotations is the row's own.
_COCO_IDS = tuple(key for key in _PERSON_IDS if key != 'id')
_PERSON_KEYS = (
    'instances', 'people', 'bodies', 'keypoints', 'landmarks', 'poses', 'skeleton',
    'predictions', 'persons', 'Bodies', *_LANDMARKS[:-1],
)  # fmt: skip

_STICK = dict(
    name='stick', joints=['foot', 'hip', 'head'], bones=[(0, 1), (2, 1)], center=1,
    coordinates='2d',
)  # fmt: skip
_STICK_3D = {**_STICK, 'coordinates': '3d'}
_PUPPET = {**_STICK_3D, 'joints': ['FootLeft', 'SpineBase', 'Head']}

FILE_FORMS = (
    Form(
        'COCO, AlphaPose',
        'JSON',
        'results or annotations: persons with `image_id`, `keypoints`, perhaps '
        '`track_id` or `idx`',
        '[{"image_id": "0.jpg", "idx": 1, "keypoints": [3, 9, 1, 3, 5, 0.9, 3, 1, 1]},\n'
        ' {"image_id": "1.jpg", "idx": 1, "keypoints": [4, 9, 1, 4, 5, 0.9, 4, 1, 1]},\n'
        ' {"image_id": "3.jpg", "idx": 1, "keypoints": [5, 9, 1, 5, 5, 0.9, 5, 1, 1]}]',
        _STICK,
        _is_coco,
        _read_coco,
    ),
)

FRAME_FORMS = (
    Form(
        'OpenPose',
        'JSON',
        'one file per image, `*_keypoints.json`: `people` with `pose_keypoints_2d`; '
        'COCO-18, BODY_25',
        '{"version": 1.3, "people": [\n'
        '  {"person_id": [-1], "pose_keypoints_2d": [3, 9, 0.9, 3, 5, 0.9, 3, 1, 0.9]}\n'
        ']}',
        _STICK,
        _is_openpose,
        _read_openpose,
    ),
    Form(
        'Kinetics-Skeleton (ST-GCN)',
        'JSON',
        '`data` of frames with `skeleton`: `pose`, `score`; the label is read',
        json.dumps(
            dict(
                data=[
                    dict(
                        frame_index=1,
                        skeleton=[dict(pose=[0.5, 0.25] * 18, score=[0.5] * 18)],
                    )
                ],
                label='waving hand',
                label_index=12,
            )
        )
        .replace('[{"frame', '[\n{"frame')
        .replace('"score"', '\n"score"'),
        'openpose',
        lambda frame: (
            isinstance(frame, Mapping)
            and isinstance(frame.get('skeleton'), list)
            and (not frame['skeleton'] or 'pose' in frame['skeleton'][0])
        ),
        _read_kinetics,
    ),
    Form(
        'MMPose, Ultralytics, TensorFlow.js',
        'JSON',
        'frames with `instances`, `poses`, or lists of persons with `keypoints`; or one '
        'file per image',
        '{"instance_info": [\n'
        '  {"frame_id": 1, "instances": [\n'
        '    {"keypoints": [[3, 9], [3, 5], [3, 1]], "keypoint_scores": [1, 0.8, 0.7]}]},\n'
        '  {"frame_id": 2, "instances": []}\n'
        ']}',
        _STICK,
        _is_persons,
        _read_persons,
    ),
    Form(
        'Kinect v2, Azure Kinect',
        'JSON',
        'frames with `bodies` of `joints`, or of `joint_positions` (mm)',
        '{"frames": [{"bodies": [{"trackingId": "72", "joints": [\n'
        '  {"jointType": 15, "cameraX": 0.1, "cameraY": -0.9, "cameraZ": 2.5},\n'
        '  {"jointType": 0, "cameraX": 0.1, "cameraY": 0.1, "cameraZ": 2.6},\n'
        '  {"jointType": 3, "cameraX": 0.1, "cameraY": 0.8, "cameraZ": 2.6}\n'
        ']}]}]}',
        _PUPPET,
        _is_kinect,
        _read_kinect,
    ),
    Form(
        'MediaPipe, TensorFlow.js',
        'JSON',
        'frames with `landmarks`, `poseLandmarks`, `pose_world_landmarks`, `keypoints`, '
        'or a list of joints; a list of frames or an object by frame number',
        '{"frames": [{"poseLandmarks": [\n'
        '  {"x": 0.5, "y": 0.9, "z": 0.1, "visibility": 0.9},\n'
        '  {"x": 0.5, "y": 0.5, "z": 0.1, "visibility": 0.9},\n'
        '  {"x": 0.5, "y": 0.1, "z": 0.1, "visibility": 0.9}\n'
        ']}]}',
        _STICK,
        _is_landmarks,
        _read_landmarks,
    ),
)
