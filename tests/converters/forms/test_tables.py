"""CSV: one line per joint, one line per frame, and how columns are called."""

import numpy as np
import pytest
import torch
from helpers.own_files import AZURE_KINECT, FLAT, ROD, numbers, read
from helpers.skeletons import standing

from hiclr_mmaction.skeleton.mapping import map_joints


@pytest.fixture
def table(tmp_path):
    """Write a table; returns its path."""

    def write(head, rows, delimiter=',', encoding='utf-8', end='\n'):
        lines = [
            delimiter.join(map(str, row)) for row in ([head] if head else []) + rows
        ]
        path = tmp_path / 'a.csv'
        path.write_bytes((end.join(lines) + end).encode(encoding))
        return path

    return write


def long_rows(x, names=None):
    """Lines frame, person, joint, ... of (M, T, V, C)."""
    return [
        [frame + 7, person, names[joint] if names else joint, *coordinates]
        for person, clip in enumerate(x)
        for frame, joints in enumerate(clip)
        for joint, coordinates in enumerate(joints)
    ]


HEAD = ['frame', 'person', 'joint', 'x', 'y', 'z']


class TestLong:
    @pytest.mark.parametrize('names', [None, ['foot', 'HIP', 'Head']])
    def test_joints_by_number_or_name_in_any_order(self, table, names):
        x = numbers(persons=2)
        rows = long_rows(x, names)[::-1]
        rows.sort(key=lambda row: row[1])
        np.testing.assert_array_equal(read(table(HEAD, rows))['keypoint'], x)

    def test_without_frames_they_are_counted_by_the_first_joint(self, table):
        x = numbers()
        rows = [row[2:] for row in long_rows(x)]
        np.testing.assert_array_equal(read(table(HEAD[2:], rows))['keypoint'], x)

    @pytest.mark.parametrize('times', [[0, 33, 66, 100], [0.0, 0.5, 1.5, 9.0]])
    def test_times_are_put_in_order(self, table, times):
        x = numbers()
        rows = [[times[row[0] - 7], *row[1:]] for row in long_rows(x)]
        out = read(table(['Timestamp', *HEAD[1:]], rows[::-1]))
        np.testing.assert_array_equal(out['keypoint'], x)

    def test_a_time_that_differs_from_joint_to_joint_is_refused(self, table):
        x = numbers()
        rows = [[i, *row[1:]] for i, row in enumerate(long_rows(x))]
        path = table(['Timestamp', *HEAD[1:]], rows)
        with pytest.raises(
            ValueError, match='column Timestamp a frame has 1 of 3 joints'
        ):
            read(path)
        out = read(path, ignore_columns=['Timestamp'])
        np.testing.assert_array_equal(out['keypoint'], x)

    def test_a_frame_that_is_not_listed_is_empty(self, table):
        x = numbers()
        rows = [row for row in long_rows(x) if row[0] != 8]
        out = read(table(HEAD, rows))['keypoint']
        assert (out[0, 1] == 0).all()
        np.testing.assert_array_equal(out[0, 2:], x[0, 2:])

    @pytest.mark.parametrize(
        ('layout', 'last', 'notes'),
        [(ROD, 'z', ['missing joints']), (FLAT, 'confidence', [])],
    )
    def test_a_joint_that_is_not_listed_is_missing(self, table, layout, last, notes):
        x = numbers()
        rows = long_rows(x)
        del rows[4]
        path = table([*HEAD[:-1], last], rows)
        sample = read(path, layout)
        assert (sample['keypoint'][0, 1, 1] == 0).all()
        assert [note for note in sample['notes'] if 'fractions' not in note] == notes
        np.testing.assert_array_equal(sample['keypoint'][0, 2], x[0, 2])
        with pytest.raises(
            ValueError, match='missing joints: 1 are not in their frame'
        ):
            read(path, layout, refuse_missing=True)

    @pytest.mark.parametrize('name', ['body', 'Person ID', 'bodyId', 'track_id'])
    def test_persons_are_known_by_many_names(self, table, name):
        x = numbers(persons=2)
        path = table(['frame', name, *HEAD[2:]], long_rows(x))
        np.testing.assert_array_equal(read(path)['keypoint'], x)

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            (
                dict(frame=0.5),
                'column frame holds 7.5; .* call it time',
            ),
            (dict(frame=1e12), 'column frame is not finite'),
            (dict(frame='nan'), 'column frame is not finite'),
            (dict(joint=3), 'wrong joint: 0 to 3, not 0 to 2'),
            (dict(joint=4e9), 'wrong joint'),
            (dict(joint='knee'), 'unknown joint names|missing joints'),
            (dict(x='far'), "not a number: 'far' in column x, line 2 of numbers"),
        ],
    )
    def test_a_wrong_cell_is_named(self, table, change, message):
        rows = long_rows(numbers())
        ((name, value),) = change.items()
        column = HEAD.index(name)
        rows[1][column] = rows[1][column] + value if value == 0.5 else value
        if name == 'joint' and isinstance(value, float):
            rows[1][column] = int(value)
        with pytest.raises(ValueError, match=message):
            read(table(HEAD, rows))

    def test_frames_in_milliseconds_are_refused(self, table):
        rows = [[1000 * row[0], *row[1:]] for row in long_rows(numbers())]
        with pytest.raises(
            ValueError, match='frames far apart: column frame .* call it'
        ):
            read(table(HEAD, rows))

    def test_lines_of_the_same_joint_are_refused_with_the_column(self, table):
        rows = long_rows(numbers(persons=2))
        with pytest.raises(
            ValueError, match='same joint: .*if actor distinguishes persons'
        ):
            read(table(['frame', 'actor', *HEAD[2:]], rows))

    @pytest.mark.parametrize('names', [None, ['Foot', 'Hip']])
    def test_joints_that_are_never_listed_are_refused(self, table, names):
        rows = long_rows(numbers(joints=2), names)
        with pytest.raises(ValueError, match='missing joints: the file has no'):
            read(table(HEAD, rows))

    def test_a_kinect_state_of_not_tracked_is_missing(self, table):
        rows = [[*row, 'Tracked'] for row in long_rows(numbers())]
        rows[4][-1] = 'NotTracked'
        sample = read(table([*HEAD, 'TrackingState'], rows))
        assert (sample['keypoint'][0, 1, 1] == 0).all()
        assert sample['notes'] == ['missing joints']


def wide_rows(x):
    """One line per frame of (1, T, V, C)."""
    return x[0].reshape(x.shape[1], -1).tolist()


class TestWide:
    @pytest.mark.parametrize(
        'name',
        [
            '{j}_{a}',
            '{a}_{j}',
            '{a}{n}',
            '{n}{a}',
            'joint{n}.{a}',
            '{j} {A}',
            '{j}_{a} (m)',
            '{a}[{n}]',
        ],
    )
    def test_columns_are_known_by_name_in_any_order(self, table, name):
        x = numbers()
        joints = ['foot', 'HIP', 'head']
        head = [
            name.format(j=joint, n=n, a=axis, A=axis.upper())
            for n, joint in enumerate(joints)
            for axis in 'xyz'
        ]
        order = np.random.default_rng(0).permutation(9)
        rows = np.array(wide_rows(x))[:, order].tolist()
        path = table([head[i] for i in order], rows)
        np.testing.assert_array_equal(read(path)['keypoint'], x)

    @pytest.mark.parametrize('first', [0, 1])
    def test_all_x_before_all_y(self, table, first):
        x = numbers()
        head = [f'{axis}{n + first}' for axis in 'xyz' for n in range(3)]
        rows = x[0].transpose(0, 2, 1).reshape(4, 9).tolist()
        np.testing.assert_array_equal(read(table(head, rows))['keypoint'], x)

    @pytest.mark.parametrize(
        'head', [None, list(range(9)), [f'f{i}' for i in range(9)]]
    )
    def test_without_names_the_order_is_the_layouts(self, table, head):
        x = numbers()
        np.testing.assert_array_equal(read(table(head, wide_rows(x)))['keypoint'], x)

    def test_pandas_index_and_repeated_names(self, table):
        x = numbers()
        rows = [[t, *row] for t, row in enumerate(wide_rows(x))]
        head = ['', *'xyz', 'x.1', 'y.1', 'z.1', 'x.2', 'y.2', 'z.2']
        np.testing.assert_array_equal(read(table(head, rows))['keypoint'], x)
        head = ['', *range(9)]
        np.testing.assert_array_equal(read(table(head, rows))['keypoint'], x)

    @pytest.mark.parametrize(
        'head', ['xxxyyyzzz', 'xyzxyzxyz', ['hip', 'Head', 'foot']]
    )
    def test_names_that_are_repeated(self, table, head):
        x = numbers()
        values = x[0].transpose(0, 2, 1) if head == 'xxxyyyzzz' else x[0]
        if not isinstance(head, str):
            head, values = np.repeat(head, 3), x[0][:, [1, 2, 0]]
        path = table([*head], values.reshape(4, 9).tolist())
        np.testing.assert_array_equal(read(path)['keypoint'], x)

    def test_all_x_before_all_y_without_a_header_is_refused(self, table):
        x = numbers(joints=20) + [[0, 5, 10]]
        rows = x[0].transpose(0, 2, 1).reshape(4, 60).tolist()
        with pytest.raises(ValueError, match='wrong order: .* x of all joints, then y'):
            read(table(None, rows), 'kinect20')
        out = read(table(None, wide_rows(x)), 'kinect20')
        np.testing.assert_array_equal(out['keypoint'], x)

    def test_columns_of_another_layout_are_refused_with_its_name(self, table):
        x = map_joints(torch.from_numpy(standing(20)), 'nturgb+d', 'kinect20').numpy()
        rows = x[0].reshape(20, 60).tolist()
        np.testing.assert_allclose(read(table(None, rows), 'kinect20')['keypoint'], x)
        with pytest.raises(ValueError, match="ambiguous columns: 60 .* in 'kinect20'"):
            read(table(None, rows), 'openni15')

    def test_persons_frames_and_times(self, table):
        x = numbers(persons=2)
        rows = [
            [0.1 * t, t, name, *x[m, t].reshape(-1)]
            for t in range(4)
            for m, name in enumerate(['zoe', 'adam'])
        ]
        head = [
            'time',
            'frame',
            'person',
            *(f'{a}{n}' for n in range(3) for a in 'xyz'),
        ]
        np.testing.assert_array_equal(read(table(head, rows))['keypoint'], x)

    def test_joints_that_the_layout_has_not_are_told(self, table):
        x = numbers(joints=4)
        head = [f'{j}_{a}' for j in ('tail', 'foot', 'hip', 'head') for a in 'xyz']
        out = read(table(head, wide_rows(x)))
        np.testing.assert_array_equal(out['keypoint'], x[:, :, 1:])
        assert out['notes'] == ['joints that are not in the layout']

    def test_a_score_of_0_is_a_missing_joint_in_space(self, table):
        x = numbers()
        x[0, 1, 1, 2] = 0
        head = [f'{j}_{a}' for j in ('foot', 'hip', 'head') for a in 'xys']
        assert read(table(head, wide_rows(x)), FLAT)['keypoint'][0, 1, 1, 2] == 0
        head = [f'{j}_{a}' for j in ('foot', 'hip', 'head') for a in 'xyzs']
        x = np.concatenate([x, np.ones((1, 4, 3, 1))], -1)
        x[0, 2, 0, 3] = 0
        out = read(table(head, wide_rows(x)))
        assert (out['keypoint'][0, 2, 0] == 0).all()
        assert out['notes'] == ['missing joints']

    def test_z_is_no_score_and_no_score_is_1(self, table):
        x = numbers()
        head = [f'{j}_{a}' for j in ('foot', 'hip', 'head') for a in 'xyz']
        out = read(table(head, wide_rows(-x)), FLAT)['keypoint']
        np.testing.assert_array_equal(out[..., :2], -x[..., :2])
        assert (out[..., 2] == 1).all()

    def test_an_unnamed_third_number_that_is_no_score_is_refused(self, table):
        with pytest.raises(ValueError, match='score out of range: -0.999 to -0.501'):
            read(table(None, wide_rows(-numbers())), FLAT)

    def test_columns_that_are_no_coordinates_are_named(self, table):
        x = numbers()
        head = ['speed', 'mood', *(f'{a}{n}' for n in range(3) for a in 'xyz')]
        path = table(head, [[7, 'sad', *row] for row in wide_rows(x)])
        with pytest.raises(
            ValueError, match='columns: speed, mood .* --ignore-columns'
        ):
            read(path)
        out = read(path, ignore_columns=['speed', 'mood'])
        np.testing.assert_array_equal(out['keypoint'], x)

    @pytest.mark.parametrize(
        ('head', 'message'),
        [
            ('a,b,c,d,e,f,g,h,i', 'unknown columns: a, b, c, d, e and 4 more'),
            ('x2,x1,x0,y2,y1,y0,f,g,h', 'unknown columns: f, g, h'),
            ('a_x,a_y,a_z,b_x,b_y,b_z,c_x,c_y,c_z', 'unknown joint names'),
            ('foot_x,foot_y,foot_z,hip_x,hip_y,hip_z,c_x,c_y,c_z', "no 'Head'"),
            ('x0,y0,z0,x1,y1,z1,x3,y3,z3', 'columns number joints 0, 1, 3'),
            (
                'foot_x,foot_y,foot_s,hip_x,hip_y,hip_s,head_x,head_y,head_s',
                'z of joint',
            ),
            ('foot_x,foot_y,foot_x,hip_x,hip_y,hip_z,head_x,head_y,head_z', 'twice'),
        ],
    )
    def test_names_that_contradict_the_layout_are_refused(self, table, head, message):
        with pytest.raises(ValueError, match=message):
            read(table(head.split(','), wide_rows(numbers())))


@pytest.mark.parametrize(
    'style',
    [
        dict(encoding='utf-16'),
        dict(encoding='utf-8-sig', end='\r\n'),
        dict(delimiter=';'),
        dict(delimiter='\t'),
    ],
)
@pytest.mark.parametrize('comma', [False, True])
def test_what_spreadsheets_write_is_read(table, style, comma):
    x = numbers()
    rows = long_rows(x)
    if comma and style.get('delimiter', ',') != ',':
        rows = [[str(cell).replace('.', ',') for cell in row] for row in rows]
    np.testing.assert_array_equal(read(table(HEAD, rows, **style))['keypoint'], x)


def test_lines_before_the_table_are_left_out(table):
    x = numbers()
    path = table(HEAD, long_rows(x))
    path.write_text('# made by a tracker\nversion,1.2\n' + path.read_text())
    np.testing.assert_array_equal(read(path)['keypoint'], x)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'empty: it has no line'),
        ('joint,x,y,z\n', 'empty: it has a header and no line'),
        ('1,2,3,4,5,6,7,8\n', 'wrong number of columns: 8'),
        ('1,2,3,4,5,6,7,8,9\n1,2\n', 'uneven lines: line 2 of numbers has 2'),
        ('joint,x,y\n0,1,2\n', 'missing columns: z'),
        ('0.5,' * 8 + '9' * 140_000 + 'x\n', 'not CSV|not a number'),
        ('joint,x,y,z\n0,1,2,"' + 'x' * 140_000 + '"\n', 'not CSV: field larger'),
        ('1,2,3,4,5,6,7,8,9\0\n', 'not text'),
    ],
)
def test_file_that_cannot_be_used_is_refused(tmp_path, text, message):
    path = tmp_path / 'a.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read(path)


def test_memory_is_bounded_by_the_size_of_the_file(table):
    """20,000 persons of 20,000 frames in a file of 1 MB would take 38 GB."""
    rows = [[t, t, j, 1, 2, 3] for t in range(20_000) for j in range(3)]
    with pytest.raises(ValueError, match='too large: 20000 persons and 20000 frames'):
        read(table(HEAD, rows))


def test_animals_of_deeplabcut_are_persons(table):
    x = numbers(persons=2)
    parts = ['foot', 'hip', 'head']
    head = ['scorer', *['net'] * 18]
    rows = [
        ['individuals', *['a'] * 9, *['b'] * 9],
        ['bodyparts', *[part for part in parts for _ in range(3)] * 2],
        ['coords', *['x', 'y', 'likelihood'] * 6],
        *([t, *x[0, t].ravel(), *x[1, t].ravel()] for t in range(4)),
    ]
    np.testing.assert_array_equal(read(table(head, rows), FLAT)['keypoint'], x)


def test_sleap(table):
    x = numbers(persons=2)
    names = [f'{joint}.{axis}' for joint in ('Foot', 'Hip', 'Head') for axis in 'xy']
    head = ['track', 'frame_idx', 'instance.score', *names]
    rows = [
        [f'track_{m}', t, 0.9, *x[m, t, :, :2].ravel()]
        for t in range(4)
        for m in range(2)
    ]
    out = read(table(head, rows), FLAT)['keypoint']
    np.testing.assert_array_equal(out[..., :2], x[..., :2])
    assert (out[..., 2] == 1).all()


def test_azure_kinect(table):
    x = numbers(joints=32)
    head = [f'{joint}_{axis}' for joint in AZURE_KINECT for axis in 'XYZ']
    rows = [[t / 30, *row] for t, row in enumerate(wide_rows(x))]
    out = read(table(['timestamp', *head], rows), 'azure_kinect')['keypoint']
    np.testing.assert_array_equal(out, x)
