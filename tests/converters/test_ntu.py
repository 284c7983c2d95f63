"""NTU RGB+D: raw files to clips."""

import numpy as np
import pytest
from helpers.paths import ROOT
from helpers.raw_files import quiet, skeleton_text, write_ntu
from helpers.skeletons import moving_person

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import (
    NTUConverter,
    convert,
    ntu,
    parse_skeleton,
)
from hiclr_mmaction.converters.ntu import first_two, most_motion
from hiclr_mmaction.datasets import SkeletonDataset
from hiclr_mmaction.views import SkeletonAlign

REFERENCE = ROOT.parent / 'shared' / 'golden' / 'preprocess.npz'


def parse(bodies, **kwargs):
    return parse_skeleton(skeleton_text(bodies, **kwargs).encode())


def absent(joints, *frames):
    """The body, not there in some frames."""
    joints = joints.copy()
    joints[list(frames)] = np.nan
    return joints


def run(source, out, **kwargs):
    return convert(source, out, workers=1, allow_empty=True, console=quiet(), **kwargs)


class TestParse:
    def test_coordinates_are_those_of_the_text(self):
        out = parse({'7': moving_person(6)})
        np.testing.assert_array_equal(out, moving_person(6)[None])

    def test_bodies_come_in_order_of_appearance_and_are_zero_where_not_there(self):
        late, early = absent(moving_person(6, 1), 0, 1), absent(moving_person(6, 2), 4)
        out = parse({'8': late, '9': early})
        np.testing.assert_array_equal(out[0], np.nan_to_num(early))
        np.testing.assert_array_equal(out[1], np.nan_to_num(late))

    def test_ids_are_told_apart_beyond_the_digits_of_a_double(self):
        out = parse(
            {
                '72057594037931101': moving_person(4, 1),
                '72057594037931102': moving_person(4, 2),
            }
        )
        assert len(out) == 2
        np.testing.assert_array_equal(out[1], moving_person(4, 2))

    @pytest.mark.parametrize(
        'change',
        [
            lambda text: text.replace('\n', '\r\n'),
            lambda text: text.replace(' ', '  '),
            lambda text: text.replace(' ', '\t'),
            lambda text: text.replace('\n', ' \n'),
            lambda text: ' ' + text,
            lambda text: text + '\n\n',
            lambda text: text.rstrip(),
        ],
    )
    def test_blanks_and_line_ends_do_not_matter(self, change):
        text = change(skeleton_text({'7': moving_person(6)}))
        np.testing.assert_array_equal(
            parse_skeleton(text.encode()), moving_person(6)[None]
        )

    def test_frames_without_bodies_count(self):
        assert parse({'7': absent(moving_person(6), 0, 5)}).shape == (1, 6, 25, 3)
        assert parse({}, frames=3).shape == (0, 3, 25, 3)


TEXT = skeleton_text({'72057594037931101': moving_person(8)})
LINES = TEXT.splitlines()
BAD = {
    'empty': ['', ' \n \r\n'],
    'truncated': [
        TEXT[: len(TEXT) // 2],
        '\n'.join(LINES[: 1 + 3 * 28]),
        '\n'.join(LINES[:3]),
        LINES[0],
        # Amid the last line.
        TEXT.rstrip()[:-20],
    ],
    'wrong joint count': [skeleton_text({'7': moving_person(8, joints=24)})],
    'NaN or infinite': [TEXT.replace(LINES[4].split()[1], 'nan')],
    'no person': ['3\n0\n0\n0\n', skeleton_text({'7': moving_person() * 0}), '0\n'],
    'too long': [skeleton_text({'7': moving_person(301)})],
    'not a number': [TEXT.replace(LINES[4].split()[1], '-1.#IND')],
    'too much text': [TEXT + TEXT],
    'not a skeleton file': [
        'x,y,z\n1,2,3\n',
        '\x89PNG\x00\x01',
        TEXT.replace(' 2\n', '\n'),
        '8\n1.5\n',
        '99999999999999999999\n1\n',
    ],
}


@pytest.mark.parametrize(
    ('kind', 'text'), [(kind, text) for kind, texts in BAD.items() for text in texts]
)
def test_bad_file_is_reported_and_left_out(tmp_path, kind, text):
    write_ntu(tmp_path / 'raw')
    bad = write_ntu(tmp_path / 'raw', 'S001C001P001R001A002')
    bad.write_bytes(text.encode('latin1'))
    write_ntu(tmp_path / 'raw', 'S001C001P001R001A003')
    out = tmp_path / 'ntu.pkl'
    report = run(NTUConverter([tmp_path / 'raw']), out)
    assert report.reasons == {kind: 1}
    assert report.skipped[0]['file'] == str(bad)
    names = [clip['frame_dir'] for clip in load_pickle(out)['annotations']]
    assert names == ['S001C001P001R001A001', 'S001C001P001R001A003']
    with pytest.raises(ValueError, match='S001C001P001R001A002 .* cannot be used'):
        run(NTUConverter([tmp_path / 'raw']), tmp_path / 'strict.pkl', strict=True)


def test_new_id_in_every_frame_takes_no_memory_beyond_reason():
    joint = b'0 0 1' + b' 0' * 9 + b'\n'
    frames = [b'1\n%d\n25\n' % t + joint * 25 for t in range(800)]
    with pytest.raises(ValueError, match='too large: 800 bodies in 800 frames'):
        parse_skeleton(b'800\n' + b''.join(frames))


def test_name_or_action_of_another_set_is_reported(tmp_path):
    write_ntu(tmp_path, 'S018C001P041R001A061')
    write_ntu(tmp_path, 'walking')
    write_ntu(tmp_path)
    report = run(NTUConverter([tmp_path]), tmp_path / 'a.pkl')
    assert report.reasons == {'action of another set': 1, 'not an NTU name': 1}
    report = run(NTUConverter([tmp_path], 'ntu120'), tmp_path / 'b.pkl')
    assert report.reasons == {'not an NTU name': 1}


def test_crlf_is_read_and_noted(tmp_path):
    path = write_ntu(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'\n', b'\r\n'))
    report = run(NTUConverter([tmp_path]), tmp_path / 'a.pkl', strict=True)
    assert report.notes == {'CRLF line ends': 1}
    clip = load_pickle(tmp_path / 'a.pkl')['annotations'][0]['keypoint']
    np.testing.assert_array_equal(clip, moving_person(8)[None].astype(np.float32))


def test_annotation_tells_what_the_name_tells(tmp_path):
    write_ntu(tmp_path / 'deep' / 'er', 'S003C002P019R001A042')
    run(NTUConverter([tmp_path]), tmp_path / 'a.pkl')
    clip = load_pickle(tmp_path / 'a.pkl')['annotations'][0]
    del clip['keypoint']
    assert clip == dict(
        frame_dir='S003C002P019R001A042', label=41, setup=3, camera=2, subject=19,
        replication=1, total_frames=8,
    )  # fmt: skip


def test_published_splits(tmp_path):
    names = ['S001C001P001R001A001', 'S002C003P003R001A001', 'S004C002P103R001A120']
    for name in names:
        write_ntu(tmp_path, name, frames=2)
    run(NTUConverter([tmp_path]), tmp_path / 'ntu60.pkl')
    run(NTUConverter([tmp_path], 'ntu120'), tmp_path / 'ntu120.pkl')
    assert load_pickle(tmp_path / 'ntu60.pkl')['split'] == dict(
        xsub_train=names[:1],
        xsub_val=names[1:2],
        xview_train=names[1:2],
        xview_val=names[:1],
    )
    assert load_pickle(tmp_path / 'ntu120.pkl')['split'] == dict(
        xsub_train=[names[0], names[2]],
        xsub_val=names[1:2],
        xset_train=names[1:],
        xset_val=names[:1],
    )


def test_published_training_sets_have_the_published_sizes():
    assert len(set(ntu.XSUB60_TRAIN)) == 20
    assert len(set(ntu.XSUB120_TRAIN)) == 53
    assert max(ntu.XSUB120_TRAIN) <= 106


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(dataset='ntu'), "dataset='ntu' is not"),
        (dict(bodies='all'), "bodies='all' is unknown; known are first-two"),
    ],
)
def test_unknown_settings_are_errors(tmp_path, kwargs, message):
    with pytest.raises(ValueError, match=message):
        NTUConverter([tmp_path], **kwargs)


def test_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='nowhere is not a folder'):
        list(NTUConverter([tmp_path / 'nowhere']).clips())


class TestBodies:
    def test_first_two_leaves_a_third(self):
        bodies = parse({str(i): moving_person(4, i) for i in range(3)})
        np.testing.assert_array_equal(first_two(bodies), bodies[:2])

    def test_most_motion_puts_who_moves_more_first(self):
        still, moving = person(30, 0.01), person(30, 0.2, x=1)
        out = most_motion(np.stack([still, moving]))
        np.testing.assert_array_equal(out, np.stack([moving, still]))

    def test_chair_is_dropped_though_it_trembles_most(self):
        chair = person(30, 0.5, seed=3) * [3, 0.3, 1]
        alone = person(30, 0.1)
        out = most_motion(np.stack([chair, alone]))
        np.testing.assert_array_equal(out, alone[None])

    def test_body_of_a_moment_is_dropped(self):
        moment = person(60, 0.9, seed=3)
        moment[8:] = 0
        alone = person(60, 0.1)
        np.testing.assert_array_equal(
            most_motion(np.stack([moment, alone])), alone[None]
        )

    def test_one_who_lies_down_is_kept(self):
        lying = person(30, 0.1)[..., [1, 0, 2]]  # as wide as tall before
        other = person(30, 0.05, x=2)
        assert len(most_motion(np.stack([lying, other]))) == 2

    def test_person_lost_and_found_is_one(self):
        whole = person(60, 0.2)
        before, after = whole.copy(), whole.copy()
        before[30:], after[:30] = 0, 0
        out = most_motion(np.stack([before, after]))
        np.testing.assert_array_equal(out, whole[None])

    def test_only_body_stays_whatever_it_looks_like(self):
        flat = person(30, 0.1) * [3, 0.1, 1]
        np.testing.assert_array_equal(most_motion(flat[None]), flat[None])

    def test_frames_without_persons_are_left_out(self):
        alone = person(40, 0.1)
        alone[:5] = 0
        np.testing.assert_array_equal(most_motion(alone[None]), alone[None, 5:])

    def test_two_persons_at_most(self):
        out = most_motion(np.stack([person(30, 0.1, x=i) for i in range(4)]))
        assert len(out) == 2


def person(frames, motion, x=0, seed=0):
    """One who stands 1.7 m tall, sways by ``motion`` metres: ``(T, 25, 3)``."""
    rng = np.random.default_rng(seed)
    joints = rng.uniform([-0.25, -0.8, 2.9], [0.25, 0.8, 3.1], (25, 3))
    joints[3], joints[[15, 19]] = [0, 0.85, 3], [0, -0.85, 3]
    sway = (
        motion * np.sin(np.arange(frames) / 5)[:, None, None] * rng.normal(size=(25, 3))
    )
    return joints + 0.2 * sway + [x, 0, 0]


@pytest.mark.skipif(not REFERENCE.is_file(), reason='no arrays of NTU RGB+D here')
@pytest.mark.parametrize('aligned', [False, True])
def test_raw_files_give_the_released_arrays(data_dir, tmp_path, aligned):
    out = tmp_path / 'ntu.pkl'
    run(NTUConverter([data_dir / 'raw_ntu']), out, align=50 if aligned else None)
    pipeline = [] if aligned else [SkeletonAlign()]
    arrays = np.load(REFERENCE)
    clips = {}
    for split in ('xsub_train', 'xsub_val'):
        dataset = SkeletonDataset(str(out), pipeline, split)
        for i in range(len(dataset)):
            clips[dataset.get_data_info(i)['frame_dir']] = dataset[i]['keypoint']
    assert len(clips) == 8
    for name, clip in clips.items():
        expected = arrays[f'{name}.frame50'].transpose(3, 1, 2, 0)
        np.testing.assert_allclose(clip, expected, rtol=0, atol=1e-5)


@pytest.mark.skipif(not REFERENCE.is_file(), reason='no arrays of NTU RGB+D here')
def test_first_two_bodies_are_those_of_the_released_preprocessing(data_dir):
    arrays = np.load(REFERENCE)
    for path in sorted((data_dir / 'raw_ntu').glob('*.skeleton')):
        bodies = first_two(parse_skeleton(path.read_bytes()))
        expected = arrays[f'{path.stem}.raw_xyz'].transpose(3, 1, 2, 0)
        np.testing.assert_allclose(bodies, expected[: len(bodies)], rtol=0, atol=1e-6)
        assert not expected[len(bodies) :].any()
