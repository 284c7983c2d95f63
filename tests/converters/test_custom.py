"""Folders of custom files, and the table that labels them."""

import json
import os

import numpy as np
import pytest
import torch
from helpers.own_files import CASES, FLAT, ROD, numbers
from helpers.raw_files import quiet
from helpers.skeletons import coco_annotations, standing

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import CustomConverter, convert
from hiclr_mmaction.datasets import SkeletonDataset
from hiclr_mmaction.skeleton import align_clip


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / 'clips'
    folder.mkdir()
    return folder


def run(converter, folder, **settings):
    """The report, the clips by name, and all of the result."""
    out = folder.parent / 'out.pkl'
    report = convert(
        converter, out, workers=1, console=quiet(), overwrite=True, **settings
    )
    content = load_pickle(out)
    return report, {a['frame_dir']: a for a in content['annotations']}, content


def test_files_of_all_suffixes_are_clips_called_by_their_place(folder):
    (folder / 'sub').mkdir()
    x = numbers() + np.arange(3)[:, None]
    np.save(folder / 'sub' / 'Run.take1.npy', x)
    lines = [','.join(map(str, row)) for row in x[0].reshape(4, 9)]
    (folder / 'b.CSV').write_text('\n'.join(lines))
    (folder / 'c.json').write_text(json.dumps(x[0].tolist()))
    _, clips, _ = run(CustomConverter(folder, layout=dict(ROD)), folder)
    assert sorted(clips) == ['b', 'c', 'sub/Run.take1']
    for name in clips:
        np.testing.assert_array_equal(clips[name]['keypoint'], x.astype(np.float32))


@pytest.mark.parametrize('pattern', ['{c}/{t:06d}_keypoints.json', '{c}_{t}.json'])
def test_files_of_one_image_each_are_one_clip(folder, pattern):
    for name in ('walk', 'run'):
        for t in (8, 9, 10, 12):
            path = folder / pattern.format(c=name, t=t)
            path.parent.mkdir(exist_ok=True)
            people = (
                [dict(pose_keypoints_2d=[t + 1, 2, 1, t, 9, 1, t, 20, 1])]
                if t != 9
                else []
            )
            path.write_text(json.dumps(dict(people=people)))
    (folder / 'run_note.json').write_text('{"a": 1}')
    report, clips, _ = run(CustomConverter(folder, layout=FLAT), folder)
    assert sorted(clips) == ['run', 'walk']
    assert clips['walk']['keypoint'][0, :, 0, 0].tolist() == [9, 0, 11, 0, 13]
    assert report.reasons == {'unknown JSON': 1}


def test_files_with_a_number_that_are_clips_stay_apart(folder):
    for t in range(3):
        frames = [dict(instances=[dict(keypoints=[[t, 1], [t, 2], [t, 3]])])] * 2
        (folder / f'take_{t + 1}.json').write_text(json.dumps(frames))
    _, clips, _ = run(CustomConverter(folder, layout=FLAT), folder)
    assert sorted(clips) == ['take_1', 'take_2', 'take_3']


def test_a_pipe_is_reported_and_not_opened(folder):
    os.mkfifo(folder / 'a_1.json')
    os.mkfifo(folder / 'a_2.json')
    np.save(folder / 'b.npy', numbers())
    report, clips, _ = run(CustomConverter(folder, layout=ROD), folder)
    assert list(clips) == ['b']
    assert report.reasons == {'not a regular file': 2}


def test_missing_joints_are_told_or_refused(folder):
    x = numbers()
    x[0, 1, 1] = np.nan
    np.save(folder / 'a.npy', x)
    np.save(folder / 'b.npy', numbers())
    report, _, _ = run(CustomConverter(folder, layout=ROD), folder)
    assert report.notes == {'missing joints': 1}
    converter = CustomConverter(folder, layout=ROD, refuse_missing=True)
    report, clips, _ = run(converter, folder)
    assert list(clips) == ['b']
    assert report.reasons == {'missing joints': 1}


def test_clips_of_an_image_can_be_stored_aligned(folder):
    x = numbers(persons=2, frames=9, joints=17) * [600, 400, 1]
    np.save(folder / 'a.npy', x)
    run(CustomConverter(folder, layout='coco'), folder, align=20)
    sample = SkeletonDataset(str(folder.parent / 'out.pkl'), [], layout='coco')[0]
    expected = align_clip(torch.from_numpy(x.astype(np.float32)), 'coco', 20).numpy()
    np.testing.assert_array_equal(sample['keypoint'], expected)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(image_size=(640, 480)), "layout 'rod' is not 2d; leave it out"),
        (dict(num_person=0), 'num_person=0 is less than 1'),
        (dict(axes='XYZ'), "axes='XYZ' is not an order of the letters"),
    ],
)
def test_settings_out_of_range_are_errors(folder, settings, message):
    with pytest.raises(ValueError, match=message):
        CustomConverter(folder, layout=ROD, **settings)


class TestLabels:
    def write(self, folder, rows, head='clip,label,subject,split'):
        for name in ('a', 'b', 'sub/c'):
            (folder / name).parent.mkdir(exist_ok=True)
            np.save(folder / f'{name}.npy', numbers())
        (folder / 'labels.csv').write_text('\n'.join([head, *rows]) + '\n')
        return folder / 'labels.csv'

    def labels(self, folder, rows, head='clip,label,subject,split', **settings):
        table = self.write(folder, rows, head)
        return run(CustomConverter(folder, table, layout=ROD, **settings), folder)

    def test_words_are_numbered_and_the_table_is_no_clip(self, folder):
        rows = ['a,walk,1,', 'b.npy,run,2,', r'sub\c,walk,3,']
        _, clips, content = self.labels(folder, rows)
        found = {name: clip['label'] for name, clip in clips.items()}
        assert found == {'a': 1, 'b': 0, 'sub/c': 1}
        assert content['classes'] == ['run', 'walk']
        assert clips['b']['subject'] == 2
        assert content['split'] == dict(all=['a', 'b', 'sub/c'])

    @pytest.mark.parametrize('delimiter', [';', '\t'])
    def test_other_delimiters_and_capitals(self, folder, delimiter):
        rows = [f'{name}{delimiter}walk' for name in ('a', 'b', 'c')]
        _, clips, _ = self.labels(folder, rows, f'Clip{delimiter}LABEL')
        assert {clip['label'] for clip in clips.values()} == {0}

    def test_whole_numbers_are_numbers_however_they_are_written(self, folder):
        rows = ['a,0.0', 'b,10.0', 'c,2']
        report, clips, content = self.labels(folder, rows, 'clip,label')
        assert [clips[name]['label'] for name in ('a', 'b', 'sub/c')] == [0, 10, 2]
        assert 'classes' not in content
        (remark,) = report.remarks
        assert remark == '11 classes, counted from 0; none is labelled 1, 3, 4, 5'

    def test_orientation_that_is_found_is_in_the_file(self, folder):
        (folder / 'lying').mkdir()
        lying = standing()[..., [0, 2, 1]] * [1000, -1000, 1000]
        np.save(folder / 'lying' / 'a.npy', lying)
        converter = CustomConverter(folder / 'lying', layout='nturgb+d')
        _, clips, content = run(converter, folder)
        assert content['orientation'] == dict(up='z', scale=0.001)
        np.testing.assert_allclose(clips['a']['keypoint'], standing(), atol=1e-6)

    def test_y_before_x_is_told(self, folder):
        (folder / 'image').mkdir()
        pose = coco_annotations()['annotations'][0]['keypoint']
        np.save(folder / 'image' / 'a.npy', pose[..., ::-1])
        for channels, told in [(None, True), ('yx', False)]:
            converter = CustomConverter(
                folder / 'image', layout='coco', channels=channels
            )
            report, *_ = run(converter, folder)
            assert any('--channels yxs' in remark for remark in report.remarks) == told

    def test_splits_of_the_table(self, folder):
        _, _, content = self.labels(folder, ['a,0,1,train', 'b,1,2,val', 'c,0,3,train'])
        assert content['split'] == dict(train=['a', 'sub/c'], val=['b'])

    @pytest.mark.parametrize('subject', [2, '02', '2'])
    def test_splits_by_subject(self, folder, subject):
        rows = ['a,0,01,', 'b,1,02,', 'c,0,03,']
        _, _, content = self.labels(folder, rows, val_subjects=[subject])
        assert content['split'] == dict(xsub_train=['a', 'sub/c'], xsub_val=['b'])

    def test_an_empty_split_is_an_error(self, folder):
        table = self.write(folder, ['a,0,1,', 'b,1,2,', 'c,0,3,'])
        np.save(folder / 'b.npy', numbers(joints=2))
        converter = CustomConverter(folder, table, val_subjects=[2], layout=ROD)
        with pytest.raises(ValueError, match='split xsub_val is empty'):
            run(converter, folder)
        assert not (folder.parent / 'out.pkl').exists()

    def test_clips_without_a_label_and_labels_without_a_clip_are_told(self, folder):
        report, clips, _ = self.labels(folder, ['a,0,1,', 'b,1,2,', 'z,1,2,', 'y,0,1,'])
        assert list(clips) == ['a', 'b']
        assert report.reasons == {'not in the labels': 1}
        assert report.remarks == ['labels without a clip: z, y']

    def test_a_row_may_have_no_label(self, folder):
        rows = ['a,,1,', 'b,-1,2,', 'c,walk,3,']
        _, clips, content = self.labels(folder, rows, val_subjects=[3])
        assert [clips[name].get('label') for name in clips] == [None, None, 0]
        assert content['split'] == dict(xsub_train=['a', 'b'], xsub_val=['sub/c'])

    def test_without_a_table_there_are_no_labels(self, folder):
        self.write(folder, [])
        (folder / 'labels.csv').unlink()
        _, clips, _ = run(CustomConverter(folder, layout=ROD), folder)
        assert all('label' not in clip for clip in clips.values())

    def test_a_bare_name_of_two_clips_is_an_error(self, folder):
        (folder / 'other').mkdir()
        np.save(folder / 'other' / 'c.npy', numbers())
        with pytest.raises(ValueError, match="clip 'c' may be any of other/c, sub/c"):
            self.labels(folder, ['a,0,1,', 'c,1,2,'])

    @pytest.mark.parametrize(
        ('rows', 'head', 'settings', 'message'),
        [
            (['a,0'], 'name,label', {}, 'has no column clip'),
            (['a,0', 'a,1', 'b,0', 'b.npy,0'], 'clip,label', {},
             'more than one row for a, b; keep one'),
            (['a,0,1'], 'clip,label,subject', dict(val_subjects=[9]),
             r'val_subjects=\[9\] are in no row .* subject has 1'),
            (['a,1', 'b,walk'], 'clip,label', {}, r'mixes numbers and words .*\(1, walk\)'),
            (['a,-2'], 'clip,label', {}, 'label -2 is below 0'),
            ([], '', {}, 'has no column clip, label'),
            (['a,"' + 'x' * 140_000 + '"'], 'clip,label', {}, 'is not CSV'),
        ],
    )  # fmt: skip
    def test_table_that_cannot_be_used_is_an_error(
        self, folder, rows, head, settings, message
    ):
        table = self.write(folder, rows, head)
        with pytest.raises(ValueError, match=message):
            CustomConverter(folder, table, layout=ROD, **settings)

    @pytest.mark.parametrize(
        ('case', 'found'),
        [
            ('backslash', {'a/01': 1, 'b/01': 0, 'walk 01': 1, 'Run.take1': 0}),
            ('float_labels', {'a/01': 0, 'b/01': 1, 'walk 01': 2, 'Run.take1': 10}),
            ('from_one', {'a/01': 1, 'b/01': 2, 'walk 01': 2, 'Run.take1': 1}),
            ('case', {'a/01': 0}),
            ('semicolon', {'a/01': 0}),
            ('bare_name', "clip '01' may be any of a/01, b/01; write the folder"),
            ('mixed', 'mixes numbers and words'),
        ],
    )
    def test_custom_tables(self, folder, case, found):
        for name in ('a/01', 'b/01', 'walk 01', 'Run.take1'):
            (folder / name).parent.mkdir(exist_ok=True)
            np.save(folder / f'{name}.npy', numbers())
        table = CASES / 'labels' / f'{case}.csv'
        if isinstance(found, str):
            with pytest.raises(ValueError, match=found):
                run(CustomConverter(folder, table, layout=ROD), folder)
            return
        _, clips, _ = run(CustomConverter(folder, table, layout=ROD), folder)
        assert {name: clip['label'] for name, clip in clips.items()} == found

    def test_a_subject_of_a_person_may_be_called_with_its_zero(self, folder):
        for name in ('a/01', 'b/01', 'walk 01', 'Run.take1'):
            (folder / name).parent.mkdir(exist_ok=True)
            np.save(folder / f'{name}.npy', numbers())
        table = CASES / 'labels' / 'subjects_zero.csv'
        converter = CustomConverter(folder, table, ['02'], layout=ROD)
        _, _, content = run(converter, folder)
        assert content['split']['xsub_val'] == ['b/01', 'walk 01']
