"""Folders of CSV, NPY and JSON files, and the table that labels them."""

import json

import numpy as np
import pytest
import torch
from helpers.planar import to_coco
from helpers.source_files import quiet

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import CustomConverter, convert
from hiclr_mmaction.converters.custom import follow
from hiclr_mmaction.datasets import SkeletonDataset
from hiclr_mmaction.datasets.synthetic import make_clip
from hiclr_mmaction.skeleton import align_clip

ROD = dict(
    name='rod', joints=['Foot', 'Hip', 'Head'], bones=[(1, 0), (2, 1)], center=1,
    shoulders=(0, 2),
)  # fmt: skip
FLAT = dict(ROD, coordinates='2d')


def run(source, tmp_path):
    out = tmp_path / 'out.pkl'
    report = convert(source, out, workers=1, console=quiet())
    content = load_pickle(out)
    return report, {a['frame_dir']: a for a in content['annotations']}, content


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / 'clips'
    folder.mkdir()
    return folder


def read(folder, layout=ROD, **kwargs):
    """The only clip's keypoint."""
    _, clips, _ = run(CustomConverter(folder, layout=layout, **kwargs), folder.parent)
    (clip,) = clips.values()
    return clip['keypoint']


def numbers(persons=1, frames=4, joints=3, channels=3):
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 1, (persons, frames, joints, channels)).round(3)


def long_rows(x, names=None):
    """Lines frame,person,joint,... of (M, T, V, C)."""
    for person, clip in enumerate(x):
        for frame, joints in enumerate(clip):
            for joint, place in enumerate(joints):
                yield [frame + 7, person, names[joint] if names else joint, *place]


def write_csv(path, head, rows):
    lines = [','.join(map(str, row)) for row in ([head] if head else []) + list(rows)]
    path.write_text('\n'.join(lines) + '\n')


class TestCSV:
    @pytest.mark.parametrize('names', [None, ['foot', 'HIP', 'Head']])
    def test_long_with_joints_by_number_or_name(self, folder, names):
        x = numbers(persons=2)
        rows = list(long_rows(x, names))
        rows.reverse()  # the order of the lines is of no matter, but for the persons
        rows.sort(key=lambda row: row[1])
        write_csv(folder / 'a.csv', ['frame', 'person', 'joint', 'x', 'y', 'z'], rows)
        np.testing.assert_array_equal(read(folder), x.astype(np.float32))

    def test_long_without_frames_counts_them_by_the_first_joint(self, folder):
        x = numbers()
        rows = [row[2:] for row in long_rows(x)]
        write_csv(folder / 'a.csv', ['joint', 'x', 'y', 'z'], rows)
        np.testing.assert_array_equal(read(folder), x.astype(np.float32))

    def test_long_joint_that_is_not_listed_is_not_seen(self, folder):
        x = numbers()
        rows = list(long_rows(x))
        del rows[4]
        head = ['frame', 'person', 'joint', 'x', 'y', 'confidence']
        write_csv(folder / 'a.csv', head, rows)
        out = read(folder, FLAT)
        assert (out[0, 1, 1] == 0).all()
        np.testing.assert_array_equal(out[0, 2], x[0, 2].astype(np.float32))

    @pytest.mark.parametrize('head', [True, False])
    def test_wide_with_and_without_header(self, folder, head):
        x = numbers()
        names = [f'{axis}{j}' for j in range(3) for axis in 'xyz'] if head else None
        write_csv(folder / 'a.csv', names, x[0].reshape(4, 9))
        np.testing.assert_array_equal(read(folder), x.astype(np.float32))

    def test_wide_with_persons_frames_and_times(self, folder):
        x = numbers(persons=2)
        rows = [
            [0.1 * t, t, name, *x[m, t].reshape(-1)]
            for t in range(4)
            for m, name in enumerate(['zoe', 'adam'])
        ]
        head = ['time', 'frame', 'person', *range(9)]
        write_csv(folder / 'a.csv', [str(h) if h != 0 else 'x' for h in head], rows)
        np.testing.assert_array_equal(read(folder), x.astype(np.float32))

    def test_excels_byte_order_mark_and_spaces_do_no_harm(self, folder):
        x = numbers()
        write_csv(folder / 'a.csv', ['joint', ' x', ' y', ' z'], [
            row[2:] for row in long_rows(x)
        ])  # fmt: skip
        text = (folder / 'a.csv').read_text()
        (folder / 'a.csv').write_text('\ufeff' + text.replace('\n', '\r\n'))
        np.testing.assert_array_equal(read(folder), x.astype(np.float32))

    @pytest.mark.parametrize(
        ('text', 'kind'),
        [
            ('', 'empty'),
            ('joint,x,y,z\n', 'empty'),
            ('1,2,3,4,5,6,7,8\n', 'wrong number of columns'),
            ('1,2,3,4,5,6,7,8,9\n1,2\n', 'uneven lines'),
            ('1,2,3,4,5,6,7,8,9\n1,2,3,4,x,6,7,8,9\n', 'not a number'),
            ('joint,x,y\n0,1,2\n', 'missing columns'),
            ('joint,x,y,z\n3,1,2,3\n', 'wrong joint'),
            ('joint,x,y,z\nknee,1,2,3\n', 'wrong joint'),
            ('1,2,3,4,,6,7,8,9\n', None),
            ('0,0,0,0,0,0,0,0,0\n', 'no person'),
        ],
    )
    def test_file_that_cannot_be_used_is_left_out(self, folder, text, kind):
        (folder / 'bad.csv').write_text(text)
        np.save(folder / 'good.npy', numbers())
        report, clips, _ = run(CustomConverter(folder, layout=ROD), folder.parent)
        assert list(clips) == ['good']
        assert len(report.reasons) == 1
        assert kind is None or list(report.reasons) == [kind]


class TestNPY:
    def test_with_and_without_persons(self, folder):
        x = numbers(persons=2)
        np.save(folder / 'two.npy', x)
        np.save(folder / 'one.npy', x[0])
        _, clips, _ = run(CustomConverter(folder, layout=ROD), folder.parent)
        np.testing.assert_array_equal(clips['two']['keypoint'], x.astype(np.float32))
        np.testing.assert_array_equal(
            clips['one']['keypoint'], x[:1].astype(np.float32)
        )

    @pytest.mark.parametrize(
        ('layout', 'axes'), [(ROD, [0, 1, 2]), (FLAT, [0, 1, 3])], ids=['3d', '2d']
    )
    def test_landmarks_of_mediapipe_give_what_the_layout_takes(
        self, folder, layout, axes
    ):
        x = numbers(channels=4)
        np.save(folder / 'a.npy', x)
        np.testing.assert_array_equal(
            read(folder, layout), x[..., axes].astype(np.float32)
        )

    def test_parts_of_the_picture_become_pixels(self, folder):
        x = numbers(channels=4)
        np.save(folder / 'a.npy', x)
        out = read(folder, FLAT, image_size=(640, 480))
        expected = x[..., [0, 1, 3]] * [640, 480, 1]
        np.testing.assert_allclose(out, expected, rtol=1e-6)

    def test_what_is_no_array_of_numbers_is_left_out(self, folder):
        np.save(folder / 'good.npy', numbers())
        np.save(folder / 'flat.npy', np.ones(5))
        np.save(folder / 'two.npy', np.ones((4, 3, 2)))
        (folder / 'none.npy').write_text('no array')
        np.save(folder / 'code.npy', np.array([{}], dtype=object), allow_pickle=True)
        report, clips, _ = run(CustomConverter(folder, layout=ROD), folder.parent)
        assert list(clips) == ['good']
        assert report.reasons == {
            'no array': 2, 'wrong shape': 1, 'wrong number of coordinates': 1,
        }  # fmt: skip


class TestJSON:
    @pytest.fixture
    def people(self):
        """Two people before a camera, pixels (2, T, 17, 2), and scores."""
        pixels = to_coco(make_clip('push', 0, 0)).astype(float)
        return pixels, np.random.default_rng(0).uniform(0.4, 1, pixels.shape[:-1])

    def frames(self, people, **ids):
        pixels, scores = people
        for t in range(pixels.shape[1]):
            bodies = [
                dict(
                    keypoints=pixels[m, t].tolist(),
                    keypoint_scores=scores[m, t].tolist(),
                    **{key: value[m] for key, value in ids.items()},
                )
                for m in range(2)
            ]
            # A detector gives them in any order.
            yield dict(frame_id=t, instances=bodies[::-1] if t % 3 == 1 else bodies)

    @pytest.mark.parametrize('ids', [{}, dict(track_id=[4, 9])], ids=['near', 'by id'])
    @pytest.mark.parametrize('key', ['instance_info', None])
    def test_mmpose_people_are_followed(self, folder, people, ids, key):
        frames = list(self.frames(people, **ids))
        content = {'meta_info': {}, key: frames} if key else frames
        (folder / 'a.json').write_text(json.dumps(content))
        out = read(folder, 'coco')
        pixels, scores = people
        expected = np.concatenate([pixels, scores[..., None]], -1).astype(np.float32)
        if scores[0].sum() < scores[1].sum():
            expected = expected[::-1]
        np.testing.assert_array_equal(out, expected)

    def test_clips_of_an_image_can_be_stored_aligned(self, folder, people):
        (folder / 'a.json').write_text(json.dumps(list(self.frames(people))))
        raw = read(folder, 'coco')
        (folder.parent / 'out.pkl').unlink()
        out = folder.parent / 'out.pkl'
        convert(
            CustomConverter(folder, layout='coco'),
            out,
            workers=1,
            align=20,
            console=quiet(),
        )
        dataset = SkeletonDataset(str(out), [], layout='coco')
        sample = dataset[0]
        expected = align_clip(torch.from_numpy(raw), 'coco', 20).numpy()
        np.testing.assert_array_equal(sample['keypoint'], expected)
        assert sample['coordinates'] == '2d'

    def test_best_scored_persons_are_kept(self, folder, people):
        pixels, scores = people
        scores[1] /= 4
        (folder / 'a.json').write_text(json.dumps(list(self.frames(people))))
        out = read(folder, 'coco', num_person=1)
        np.testing.assert_array_equal(out[0, ..., 2], scores[0].astype(np.float32))

    def test_coco_results_are_put_in_the_order_of_the_images(self, folder, people):
        pixels, scores = people
        rows = [
            dict(
                image_id=t,
                category_id=1,
                score=0.9,
                keypoints=np.concatenate(
                    [pixels[0, t], scores[0, t, :, None]], -1
                ).reshape(-1).tolist(),
            )
            for t in range(pixels.shape[1])
        ]  # fmt: skip
        (folder / 'a.json').write_text(json.dumps(rows[::-1]))
        out = read(folder, 'coco')
        np.testing.assert_array_equal(out[0, ..., :2], pixels[0].astype(np.float32))

    @pytest.mark.parametrize('wrapped', [False, True])
    def test_mediapipe_landmarks_with_frames_in_which_nobody_is(self, folder, wrapped):
        x = np.random.default_rng(0).uniform(0.2, 0.8, (5, 33, 4))
        frames = [
            [dict(zip(['x', 'y', 'z', 'visibility'], j, strict=True)) for j in f]
            for f in x.tolist()
        ]
        frames[2] = None
        if wrapped:
            frames = [dict(landmarks=f) for f in frames]
        (folder / 'a.json').write_text(json.dumps(frames))
        out = read(folder, 'mediapipe')
        x[2] = 0
        np.testing.assert_array_equal(out[0], x[..., [0, 1, 3]].astype(np.float32))

    @pytest.mark.parametrize(
        ('text', 'kind'),
        [
            ('{', 'no JSON'),
            ('{}', 'unknown JSON'),
            ('[3]', 'unknown JSON'),
            ('[{"instances": [{"score": 1}]}]', 'unknown JSON'),
            ('[{"instances": []}, null]', 'no person'),
            ('[{"instances": [{"keypoints": [[1, 2]]}]}]', 'wrong joint count'),
        ],
    )
    def test_file_that_cannot_be_used_is_left_out(self, folder, text, kind):
        (folder / 'bad.json').write_text(text)
        np.save(folder / 'good.npy', numbers())
        report, _, _ = run(CustomConverter(folder, layout=FLAT), folder.parent)
        assert list(report.reasons) == [kind]


def test_somebody_far_away_is_another_person():
    near = np.array([[0.0, 0], [10, 10]])
    tracks = follow(
        [[(None, near)], [(None, near + 500)], [(None, near + 1), (None, near + 501)]]
    )
    assert len(tracks) == 2
    assert tracks[0].any((1, 2)).tolist() == [True, False, True]
    assert tracks[1].any((1, 2)).tolist() == [False, True, True]


class TestLabels:
    def write(self, folder, rows, head='clip,label,subject,split'):
        for name in ('a', 'b', 'sub/c'):
            (folder / name).parent.mkdir(exist_ok=True)
            np.save(folder / f'{name}.npy', numbers())
        (folder / 'labels.csv').write_text('\n'.join([head, *rows]) + '\n')
        return folder / 'labels.csv'

    def test_words_are_numbered_and_the_table_is_no_clip(self, folder):
        table = self.write(folder, ['a,walk,1,', 'b.npy,run,2,', 'sub/c,walk,3,'])
        _, clips, content = run(
            CustomConverter(folder, table, layout=ROD), folder.parent
        )
        assert {name: c['label'] for name, c in clips.items()} == {
            'a': 1, 'b': 0, 'sub/c': 1,
        }  # fmt: skip
        assert content['classes'] == ['run', 'walk']
        assert clips['b']['subject'] == 2
        assert content['split'] == dict(all=['a', 'b', 'sub/c'])

    def test_splits_of_the_table(self, folder):
        table = self.write(folder, ['a,0,1,train', 'b,1,2,val', 'c,0,3,train'])
        _, _, content = run(CustomConverter(folder, table, layout=ROD), folder.parent)
        assert content['split'] == dict(train=['a', 'sub/c'], val=['b'])
        assert 'classes' not in content

    def test_splits_by_subject(self, folder):
        table = self.write(folder, ['a,0,1,', 'b,1,2,', 'c,0,3,'])
        source = CustomConverter(folder, table, val_subjects=[2], layout=ROD)
        _, _, content = run(source, folder.parent)
        assert content['split'] == dict(xsub_train=['a', 'sub/c'], xsub_val=['b'])

    def test_clip_that_is_not_in_the_table_is_left_out(self, folder):
        table = self.write(folder, ['a,0,1,', 'b,1,2,'])
        report, clips, _ = run(
            CustomConverter(folder, table, layout=ROD), folder.parent
        )
        assert list(clips) == ['a', 'b']
        assert report.reasons == {'not in the labels': 1}

    def test_without_a_table_there_are_no_labels(self, folder):
        self.write(folder, [])
        (folder / 'labels.csv').unlink()
        _, clips, _ = run(CustomConverter(folder, layout=ROD), folder.parent)
        assert all('label' not in clip for clip in clips.values())

    @pytest.mark.parametrize(
        ('rows', 'head', 'kwargs', 'message'),
        [
            (['a,0'], 'name,label', {}, 'has no column clip'),
            (['a,0', 'a,1'], 'clip,label', {}, "has clip 'a' twice"),
            (['a,0,1'], 'clip,label,subject', dict(val_subjects=[9]), 'in no row'),
        ],
    )
    def test_table_that_cannot_be_used_is_an_error(
        self, folder, rows, head, kwargs, message
    ):
        table = self.write(folder, rows, head)
        with pytest.raises(ValueError, match=message):
            CustomConverter(folder, table, layout=ROD, **kwargs)


def test_image_size_is_for_images_only(folder):
    with pytest.raises(ValueError, match='is no layout of skeletons in an image'):
        CustomConverter(folder, layout=ROD, image_size=(640, 480))
