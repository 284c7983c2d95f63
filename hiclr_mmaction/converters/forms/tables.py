"""CSV tables: one line per joint (long), or one line per frame (wide)."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...skeleton import LAYOUTS, SkeletonLayout
from ...skeleton.orientation import MAX_BONE_RATIO, MIN_JOINTS, bone_ratio
from ..converter import blank
from .form import (
    OTHER_JOINTS,
    OTHER_ORDER,
    SCORE,
    TRACKING_STATES,
    Form,
    Options,
    Recording,
)
from .joints import in_order, looks_like, match

# Names of columns, without case and punctuation.
_FRAME = (
    'frame', 'frameid', 'frameindex', 'frameidx', 'framenumber', 'frameno', 'framenum',
)  # fmt: skip
_TIME = (
    'time', 'timestamp', 'timestamps', 'timespan', 'timems', 'timestampms', 'times',
    'timestampusec', 'seconds', 'sec', 't', 'ms',
)  # fmt: skip
_PERSON = (
    'person', 'personid', 'personidx', 'body', 'bodyid', 'bodyindex', 'bodyidx', 'track',
    'trackid', 'trackingid', 'user', 'userid', 'player', 'playerid', 'skeleton',
    'skeletonid', 'instance', 'instanceid', 'individual', 'humanid', 'pid',
)  # fmt: skip
_JOINT = (
    'joint', 'jointid', 'jointindex', 'jointname', 'jointtype', 'jointnumber', 'keypoint',
    'keypointid', 'keypointname', 'landmark', 'landmarkid', 'landmarkindex',
    'landmarkname', 'bodypart', 'marker',
)  # fmt: skip
_AXES = dict(
    x=('x', 'posx', 'xpos', 'positionx', 'xposition', 'worldx', 'xcoord', 'px'),
    y=('y', 'posy', 'ypos', 'positiony', 'yposition', 'worldy', 'ycoord', 'py'),
    z=('z', 'posz', 'zpos', 'positionz', 'zposition', 'worldz', 'zcoord', 'pz'),
    s=('score', 'visibility', 'confidence', 'conf', 'likelihood', 'probability', 'vis'),
    state=('state', 'trackingstate'),
)
# Of no use here, and no coordinates.
_UNUSED = re.compile(
    r'(class|label|classid|action|index|unnamed\d*|instancescore|personscore|presence'
    r'|orientation[xyzw]|quaternion[xyzw]|q[xyzw]|)'
)
_AXIS_OF_WIDE = dict(
    x='x', y='y', z='z', score='s', visibility='s', confidence='s', conf='s', vis='s',
    likelihood='s', v='s', c='s', s='s', p='s',
)  # fmt: skip
_BETWEEN = r'[ _.\-:/]*'
_AXIS = '|'.join(sorted(_AXIS_OF_WIDE, key=len, reverse=True))
# nose_x, joint3x, NoseX; x_nose, x3.
_SUFFIX = re.compile(rf'(.*[ _.\-:/]|.*[0-9]|.*[a-z](?=[A-Z]))((?i:{_AXIS}))')
_PREFIX = re.compile(rf'((?i:{_AXIS}))([ _.\-:/].*|[0-9].*)')
_NUMBERED = re.compile(rf'(?:[a-z]*{_BETWEEN})(\d{{1,9}})', re.I)
# How far apart the frames of a clip may be numbered, on the average.
_MAX_STEP = 10


@dataclass
class Table:
    """The cells of a CSV file.

    Attributes:
        path (Path): The file.
        head (list[str]): The first line; empty texts if it is of numbers.
        rows (list[list[str]]): The others.
    """

    path: Path
    head: list[str]
    rows: list[list[str]]

    def numbers(self, column: int) -> np.ndarray:
        """A column as float64; an empty cell is NaN."""
        cells = [row[column].strip() or 'nan' for row in self.rows]
        try:
            return np.array(cells, dtype=np.float64)
        except ValueError:
            pass
        for number, cell in enumerate(cells):
            if not _is_number(cell):
                name = self.head[column] or column + 1
                raise ValueError(
                    f'not a number: {cell[:40]!r} in column {name}, line {number + 1} of '
                    'numbers'
                )
        raise ValueError(f'not numbers: column {self.head[column] or column + 1}')

    def find(self, names: Sequence[str]) -> int | None:
        """The first column with this name."""
        plain = [_plain(cell) for cell in self.head]
        return next((plain.index(name) for name in names if name in plain), None)


def read_csv(path: Path, options: Options) -> Recording:
    """Read a CSV file.

    Raises:
        ValueError: If it is empty, uneven, or its columns are not coordinates of joints.
    """
    table = load_table(path, options.ignore_columns)
    form = next(form for form in TABLE_FORMS if form.recognise(table))
    return form.read(table, options)


def load_table(path: Path, ignore: Sequence[str] = ()) -> Table:
    """Split a file into cells, between ``;``, tabs, ``,`` or else blanks."""
    lines = [
        line
        for line in _decode(path.read_bytes()).splitlines()
        if line.strip(' ,;\t') and not line.startswith(('#', '%'))
    ]
    if not lines:
        raise ValueError('empty: it has no line')
    middle = lines[len(lines) // 2]
    delimiter = next((mark for mark in ';\t,' if mark in middle), ' ')
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(f'not CSV: {error}') from error
    if delimiter != ',':  # decimal commas
        rows = [[re.sub(r'^(-?\d*),(\d+)', r'\1.\2', c) for c in row] for row in rows]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    while len(rows[0]) != width:  # lines before the table
        rows.pop(0)
    head = [cell.strip() for cell in rows[0]]
    if all(map(_is_number, head)) and not _counts(head):
        head = [''] * width
    else:
        rows = rows[1:]
        if _counts(head):
            head = [''] * width
    for number, row in enumerate(rows):
        if len(row) != width:
            raise ValueError(
                f'uneven lines: line {number + 1} of numbers has {len(row)} columns, '
                f'not {width}'
            )
    if not rows:
        raise ValueError('empty: it has a header and no line')
    unknown = sorted(set(ignore) - set(head))
    if unknown and any(head):
        raise ValueError(
            f'ignore_columns={unknown} are not in the file; it has {", ".join(head[:8])}'
        )
    kept = [i for i, name in enumerate(head) if name not in ignore or not name]
    if len(kept) < width:
        head, *rows = ([row[i] for i in kept] for row in [head, *rows])
    return Table(path, head, rows)


def _decode(data: bytes) -> str:
    if data[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return data.decode('utf-16')
    text = data.decode('utf-8-sig')
    if '\0' in text:
        raise ValueError('not text: it holds bytes of value 0')
    return text


def _plain(name: str) -> str:
    return re.sub('[^a-z0-9]', '', _without_unit(name).lower())


def _without_unit(name: str) -> str:
    """``nose_x`` of ``nose_x (px)``."""
    return re.sub(r'[ _]*[(\[][^)\]]*[)\]]$', '', name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text  # an empty cell stands for a number that is not known
    return True


def _counts(head: Sequence[str]) -> bool:
    """Whether a first line of numbers counts the columns, as pandas writes it."""
    numbers = [str(i) for i in range(len(head))]
    ours = [cell for cell in head if cell]
    return len(ours) > 3 and ours in (numbers[: len(ours)], numbers[1:])


# ---------------------------------------------------------------------------
# One line per joint
# ---------------------------------------------------------------------------


def _read_long(table: Table, options: Options) -> Recording:
    columns = [
        (axis, table.find(_AXES[name]))
        for axis, name in [(0, 'x'), (1, 'y'), (2, 'z'), (SCORE, 's'), (SCORE, 'state')]
    ]
    needed = 'xy' if options.layout.coordinates == '2d' else 'xyz'
    missing = [name for name, (_, i) in zip(needed, columns, strict=False) if i is None]
    if missing:
        raise ValueError(f'missing columns: {", ".join(missing)}')
    joint, persons = _joints(table, options), _persons(table)
    frames = _frames(table)
    if frames is None:  # the first joint of the first person comes again
        again = (joint == joint[0]) & (persons == persons[0])
        frames = again.cumsum() - 1
    values = np.full((len(table.rows), 4), np.nan)
    for axis, column in columns:
        if column is not None:
            plain = _plain(table.head[column])
            values[:, axis] = (
                _states(table, column)
                if plain in _AXES['state']
                else table.numbers(column)
            )
    _refuse_doubles(table, persons, frames, joint)
    _refuse_scattered(table, persons, frames, joint)
    shape = (persons.max() + 1, frames.max() + 1, options.layout.num_joints, 4)
    out = blank(shape, table.path)
    out[:] = np.nan
    used = joint >= 0
    out[persons[used], frames[used], joint[used]] = values[used]
    return Recording(out)


def _joints(table: Table, options: Options) -> np.ndarray:
    """The layout's joint of each line; -1: not in the layout."""
    layout = options.layout
    column = table.find(_JOINT)
    assert column is not None  # the form was recognised by it
    cells = [row[column].strip() for row in table.rows]
    distinct = list(dict.fromkeys(cells))
    if all(cell.isdecimal() and len(cell) < 16 for cell in distinct):
        joints = np.array([int(cell) for cell in cells])
        distinct_numbers = set(joints.tolist())
        if max(distinct_numbers) >= layout.num_joints:
            hint = '; they are counted from 0' if 0 not in distinct_numbers else ''
            raise ValueError(
                f'wrong joint: {joints.min()} to {joints.max()}, not 0 to '
                f'{layout.num_joints - 1}{hint}'
            )
        absent = sorted(set(range(layout.num_joints)) - distinct_numbers)
        if absent:
            raise ValueError(
                f'missing joints: the file has no joint {_list(absent)} of layout '
                f'{layout.name!r}; set a layout of its joints'
            )
        return joints
    if not layout.joints:
        raise ValueError(
            f'wrong joint: {distinct[0][:40]!r} is not a number, and layout '
            f'{layout.name!r} names no joints'
        )
    index = np.full(len(distinct), -1)
    for ours, theirs in enumerate(match(distinct, layout)):
        index[theirs] = ours
    number = dict(zip(distinct, index, strict=True))
    return np.array([number[cell] for cell in cells])


def _list(numbers: Sequence[int], most: int = 6) -> str:
    shown = ', '.join(map(str, numbers[:most]))
    return shown + (f' and {len(numbers) - most} more' if len(numbers) > most else '')


def _refuse_doubles(
    table: Table, persons: np.ndarray, frames: np.ndarray, joints: np.ndarray
) -> None:
    """Raise a ValueError if the same person, frame and joint has two lines."""
    keys = np.stack([persons, frames, joints], axis=1)[joints >= 0]
    _, first, counts = np.unique(keys, axis=0, return_index=True, return_counts=True)
    if (counts == 1).all():
        return
    person, frame, joint = keys[first[counts > 1].min()]
    known = {
        *_FRAME,
        *_TIME,
        *_JOINT,
        *_PERSON,
        *(n for a in _AXES.values() for n in a),
    }
    others = [name for name in table.head if _plain(name) not in known]
    hint = (
        f'; if {" or ".join(others[:4])} distinguishes persons, call that column person'
        if others
        else ''
    )
    raise ValueError(
        f'lines of the same joint: person {person}, frame {frame}, joint {joint} comes '
        f'again{hint}'
    )


def _refuse_scattered(
    table: Table, persons: np.ndarray, frames: np.ndarray, joints: np.ndarray
) -> None:
    """Raise a ValueError if the time or frame number differs between joints."""
    column = table.find(_FRAME)
    column = table.find(_TIME) if column is None else column
    used = joints >= 0
    if column is None or not used.any():
        return
    keys = np.stack([persons, frames], axis=1)[used]
    together = np.median(np.unique(keys, axis=0, return_counts=True)[1])
    count = len(np.unique(joints[used]))
    if count > 2 and 3 * together <= count:
        name = table.head[column]
        raise ValueError(
            f'scattered joints: by column {name} a frame has {together:g} of {count} '
            f'joints; if it differs within a frame, say --ignore-columns "{name}"'
        )


def _states(table: Table, column: int) -> np.ndarray:
    """Kinect's tracking states as scores: not tracked 0, inferred 0.5, tracked 1."""
    cells = [row[column].strip().lower() for row in table.rows]
    if set(cells) <= set(TRACKING_STATES):
        return np.array([TRACKING_STATES[cell] for cell in cells]) / 2
    return table.numbers(column) / 2


def _persons(table: Table) -> np.ndarray:
    """Persons 0, 1, ... of the lines, in order of appearance."""
    column = table.find(_PERSON)
    if column is None:
        return np.zeros(len(table.rows), dtype=int)
    return _ranks(np.array([row[column].strip() for row in table.rows]))


def _ranks(values: np.ndarray) -> np.ndarray:
    """0, 1, ... for the different values, in order of appearance."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse.reshape(-1)]


def _frames(table: Table) -> np.ndarray | None:
    """Frames 0, 1, ... of the lines, by number or by time. None: there is neither."""
    column = table.find(_FRAME)
    if column is not None:
        name = table.head[column]
        numbers = table.numbers(column)
        if not np.isfinite(numbers).all() or np.abs(numbers).max() > 1e9:
            raise ValueError(
                f'not a frame number: column {name} is not finite, or empty'
            )
        if (numbers != np.floor(numbers)).any():
            raise ValueError(
                f'not a frame number: column {name} holds '
                f'{numbers[numbers != np.floor(numbers)][0]:g}; if it is a time, call it '
                'time'
            )
        numbers = (numbers - numbers.min()).astype(int)
        count = len(np.unique(numbers))
        if numbers.max() + 1 > _MAX_STEP * max(count, 2):
            raise ValueError(
                f'frames far apart: column {name} numbers {count} frames up to '
                f'{numbers.max()}; if it is a time, call it time'
            )
        return numbers
    column = table.find(_TIME)
    if column is None:
        return None
    cells = [row[column].strip() for row in table.rows]
    if all(map(_is_number, cells)) and all(cells):
        return np.unique(table.numbers(column), return_inverse=True)[1].reshape(-1)
    return _ranks(np.array(cells))  # times of day


# ---------------------------------------------------------------------------
# One line per frame
# ---------------------------------------------------------------------------


def _read_wide(table: Table, options: Options) -> Recording:
    known = {
        i
        for names in (_FRAME, _TIME, _PERSON)
        for i, name in enumerate(table.head)
        if _plain(name) in names
    }
    rest = [i for i in range(len(table.head)) if i not in known]
    notes: list[str] = []
    parsed = {i: found for i in rest if (found := _parse(table.head[i]))}
    if len(parsed) < len(rest):
        parsed = _repeated(table.head, rest, options) or parsed
    if parsed:
        strange = [i for i in rest if i not in parsed]
        unknown = [i for i in strange if not _UNUSED.fullmatch(_plain(table.head[i]))]
        if unknown:
            names = [table.head[i] for i in unknown]
            raise ValueError(
                f'unknown columns: {_some(names)} are not coordinates of joints; name them '
                'with --ignore-columns'
            )
        notes += [f'column {table.head[i]} not used' for i in strange if table.head[i]]
        values = _by_name(table, parsed, options)
        placed = {joint for joint, axis in parsed.values() if axis == 'x'}
        if len(placed) > values.shape[1]:
            notes.append(OTHER_JOINTS)
    else:
        values = _in_order(table, rest, options, notes)
    persons = _persons(table)
    frames = _frames(table)
    if frames is None or table.find(_FRAME) is None and not _shared(frames, persons):
        frames = np.zeros(len(table.rows), int)
        for person in range(persons.max() + 1):
            own = persons == person
            frames[own] = np.arange(own.sum())
    pairs = np.stack([persons, frames], axis=1)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        others = [name for name in table.head if name][:3]
        raise ValueError(
            'lines of the same frame: a frame comes again for the same person; call the '
            f'column that distinguishes persons person (columns: {", ".join(others)}, ...)'
        )
    out = blank((persons.max() + 1, frames.max() + 1, *values.shape[1:]), table.path)
    out[:] = np.nan
    out[persons, frames] = values
    return Recording(out, notes=notes)


def _shared(frames: np.ndarray, persons: np.ndarray) -> bool:
    """Whether lines of several persons can be matched to frames by time."""
    return len(set(persons.tolist())) > 1 and len(np.unique(frames)) < len(frames)


def _repeated(
    head: Sequence[str], columns: Sequence[int], options: Options
) -> dict[int, tuple[str, str]]:
    """Columns that are called by the axis alone (``x, y, x, y``), or by the joint."""
    # pandas numbers equal names: x, x.1, x.2
    names = {i: re.sub(r'\.\d+$', '', head[i]).strip().lower() for i in columns}
    names = {
        i: name for i, name in names.items() if not _UNUSED.fullmatch(_plain(name))
    }
    counts = Counter(names.values())
    number: Counter[str] = Counter()
    out = {}
    for i, name in names.items():
        if counts.keys() <= _AXIS_OF_WIDE.keys():
            out[i] = str(number[name]), _AXIS_OF_WIDE[name]
        elif len(counts) > 1 and set(counts.values()) in ({2}, {3}, {4}):
            axes = options.name_channels(counts[name])
            out[i] = name, axes[number[name]]
        number[name] += 1
    return out


def _parse(name: str) -> tuple[str, str] | None:
    """``('nose', 'x')`` of ``nose_x``, ``x_nose``; ``('3', 's')`` of ``v3``, ``v[3]``."""
    name = re.sub(r'[(\[](\d+)[)\]]', r'_\1', name)
    for pattern, joint, axis in ((_SUFFIX, 1, 2), (_PREFIX, 2, 1)):
        found = pattern.fullmatch(_without_unit(name))
        if found and found[joint].strip(' _.-:/'):
            return found[joint].strip(' _.-:/'), _AXIS_OF_WIDE[found[axis].lower()]
    return None


def _by_name(
    table: Table, parsed: Mapping[int, tuple[str, str]], options: Options
) -> np.ndarray:
    """``(lines, V, 4)`` of the columns whose joint and axis are known."""
    stems: dict[str, dict[str, int]] = {}
    for column, (stem, axis) in parsed.items():
        if axis in stems.setdefault(stem, {}):
            raise ValueError(f'a column named twice: {axis} of joint {stem}')
        stems[stem][axis] = column
    needed = 'xy' if options.layout.coordinates == '2d' else 'xyz'
    # What has a score alone, such as SLEAP's instance.score, is not a joint.
    stems = {
        stem: axes
        for stem, axes in stems.items()
        if set(axes) != {'s'} or len(stems) == 1
    }
    for stem, axes in stems.items():
        lacking = [axis for axis in needed if axis not in axes]
        if lacking:
            raise ValueError(f'missing columns: {", ".join(lacking)} of joint {stem}')
    numbers = [int(n[1]) for stem in stems if (n := _NUMBERED.fullmatch(stem))]
    if stems and len(numbers) == len(stems):
        order = sorted(range(len(stems)), key=lambda i: numbers[i])
        found = sorted(numbers)
        if found != list(range(found[0], found[0] + len(found))) or found[0] > 1:
            raise ValueError(
                f'wrong joint: the columns number joints {_list(found)}, not 0 to '
                f'{options.layout.num_joints - 1}'
            )
        in_order(len(found), options.layout)
    else:
        order = match(list(stems), options.layout)
    columns = list(stems.values())
    out = np.full((len(table.rows), len(order), 4), np.nan)
    for joint, theirs in enumerate(order):
        for axis, column in columns[theirs].items():
            out[:, joint, 'xyzs'.index(axis)] = table.numbers(column)
    return out


def _in_order(
    table: Table, rest: Sequence[int], options: Options, notes: list[str]
) -> np.ndarray:
    """``(lines, V, 4)`` of a table whose header names no joints; adds to the notes."""
    if rest and not table.head[rest[0]] and len(rest) % options.layout.num_joints == 1:
        first = table.numbers(rest[0])
        if np.array_equal(first, np.arange(len(first)) + first[0]):
            rest = rest[1:]  # the index that pandas writes
    names = [table.head[i] for i in rest if table.head[i]]
    num_joints = options.layout.num_joints
    channels, remainder = divmod(len(rest), num_joints)
    if remainder or not channels:
        hint = f'; columns {_some(names)} name no joints' if names else ''
        raise ValueError(
            f'wrong number of columns: {len(rest)}, no multiple of the {num_joints} '
            f'joints{hint}'
        )
    if names and not _numbered(names):
        raise ValueError(
            f"unknown columns: {_some(names)} are no joints' coordinates; call them as in "
            'nose_x, nose_y or x0, y0'
        )
    named = options.name_channels(channels)
    values = np.stack([table.numbers(i) for i in rest], axis=-1)
    out = np.full((len(table.rows), num_joints, 4), np.nan)
    out[..., ['xyzs'.index(axis) for axis in named]] = values.reshape(
        -1, num_joints, channels
    )
    _refuse_other_reading(values, options.layout)
    if not looks_like(out, options.layout):
        notes.append(OTHER_ORDER)
    return out


def _numbered(names: Sequence[str]) -> bool:
    """Whether columns are only counted, as in ``feature_0``, ``feature_1``."""
    found = [re.fullmatch(r'(\D*)(\d{1,9})', name) for name in names]
    stems = {match[1] for match in found if match}
    counts = [int(match[2]) for match in found if match]
    return len(stems) == 1 and counts == [*range(counts[0], counts[0] + len(names))]


def _refuse_other_reading(values: np.ndarray, layout: SkeletonLayout) -> None:
    """Raise a ValueError if unnamed columns ``(lines, n)`` fit another order or layout."""
    lines, width = values.shape
    by_joint = values.reshape(lines, layout.num_joints, -1)
    if layout.num_joints >= MIN_JOINTS:
        child, parent = np.transpose(layout.bones)
        by_axis = values.reshape(lines, -1, layout.num_joints).swapaxes(1, 2)
        length, other_length = (
            np.nan_to_num(
                np.abs(x[:, child] - x[:, parent])[..., : layout.num_axes]
            ).sum()
            for x in (by_joint, by_axis)
        )
        if length > 2 * other_length > 0:
            raise ValueError(
                'wrong order: the columns seem to be x of all joints, then y; call them '
                'x0, x1, ..., y0, y1, ... in a header'
            )
    if looks_like(by_joint, layout):
        return
    for other in LAYOUTS.values():
        channels, rest = divmod(width, other.num_joints)
        if rest or channels not in (other.num_axes, 3):
            continue
        x = np.nan_to_num(values.reshape(lines, other.num_joints, channels))
        if (bone_ratio(x, other) or 1) <= MAX_BONE_RATIO:
            raise ValueError(
                f'ambiguous columns: {width} numbers form no person in layout '
                f'{layout.name!r}, but one in {other.name!r}; set that --layout, or '
                'name the columns in a header'
            )


def _some(names: Sequence[str], most: int = 5) -> str:
    shown = ', '.join(names[:most])
    return shown + (f' and {len(names) - most} more' if len(names) > most else '')


# ---------------------------------------------------------------------------
# DeepLabCut
# ---------------------------------------------------------------------------


def _is_deeplabcut(table: Table) -> bool:
    return table.head[0].lower() == 'scorer'


def _read_deeplabcut(table: Table, options: Options) -> Recording:
    """Header lines ``scorer``, perhaps ``individuals``, ``bodyparts``, ``coords``."""
    heads = {}
    while table.rows and not _is_number(table.rows[0][0]):
        first, *cells = table.rows[0]
        heads[first.strip().lower()] = [cell.strip() for cell in cells]
        table = Table(table.path, table.head, table.rows[1:])
    if not {'bodyparts', 'coords'} <= set(heads) or not table.rows:
        raise ValueError(
            'no DeepLabCut table: the lines bodyparts and coords, or the numbers, are '
            'missing'
        )
    unknown = sorted({axis for axis in heads['coords'] if axis not in _AXIS_OF_WIDE})
    if unknown:
        raise ValueError(f'unknown columns: coords {_some(unknown)}')
    animals = heads.get('individuals', [''] * len(heads['coords']))
    persons = []
    for animal in dict.fromkeys(animals):
        parsed = {
            i + 1: (part, _AXIS_OF_WIDE[axis])
            for i, (who, part, axis) in enumerate(
                zip(animals, heads['bodyparts'], heads['coords'], strict=True)
            )
            if who == animal
        }
        persons.append(_by_name(table, parsed, options))
    return Recording(np.stack(persons))


_STICK = dict(
    name='stick', joints=['foot', 'hip', 'head'], bones=[(0, 1), (2, 1)], center=1
)
_FLAT = {**_STICK, 'coordinates': '2d'}
_MOUSE = dict(
    name='mouse', joints=['nose', 'leftear', 'rightear'], bones=[(1, 0), (2, 0)],
    center=0, coordinates='2d',
)  # fmt: skip

TABLE_FORMS = (
    Form(
        'DeepLabCut',
        'CSV',
        'header lines `scorer`, `bodyparts`, `coords`; a layout of your own must use the '
        'names of the body parts',
        'scorer,net,net,net,net,net,net,net,net,net\n'
        'bodyparts,nose,nose,nose,leftear,leftear,leftear,rightear,rightear,rightear\n'
        'coords,x,y,likelihood,x,y,likelihood,x,y,likelihood\n'
        '0,5,9,0.9,4,8,0.9,6,8,0.9\n'
        '1,5,8,0.9,4,7,0.9,6,7,0.9',
        _MOUSE,
        _is_deeplabcut,
        _read_deeplabcut,
    ),
    Form(
        'long',
        'CSV',
        'one line per joint: `joint` (number from 0, or name), `x`, `y`, perhaps `z`, '
        '`score`, `frame` or `time`, `person`',
        'frame,person,joint,x,y,z\n'
        '0,anna,foot,0.1,-0.9,2.5\n'
        '0,anna,hip,0.1,0.0,2.5\n'
        '0,anna,head,0.1,0.8,2.5\n'
        '1,anna,foot,0.2,-0.9,2.5\n1,anna,hip,0.2,0.0,2.5\n1,anna,head,0.2,0.8,2.5',
        _STICK,
        lambda table: table.find(_JOINT) is not None,
        _read_long,
    ),
    Form(
        'wide',
        'CSV',
        'one line per frame: columns `left_hand_x`, `x_left_hand`, `x0`, ... or, without '
        'names, in the order of the layout; SLEAP, Kinect, MediaPipe',
        'frame,head_x,head_y,head_score,foot_x,foot_y,foot_score,hip_x,hip_y,hip_score\n'
        '0,3,1,0.9,3,9,0.9,3,5,0.9\n'
        '1,4,1,0.9,4,9,0.9,4,5,0.9',
        _FLAT,
        lambda table: True,
        _read_wide,
    ),
)
