"""PKU-MMD: recordings and label files to clips."""

import numpy as np
import pytest
from helpers.raw_files import quiet, write_pku

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import PKUMMDConverter, convert
from hiclr_mmaction.converters.pku_mmd import CLASSES, read_split_file


def run(folder, out, split_files=None, **kwargs):
    source = PKUMMDConverter(folder / 'skeletons', folder / 'labels', split_files)
    return convert(source, out, workers=1, console=quiet(), **kwargs)


def clips_of(out):
    return {clip['frame_dir']: clip for clip in load_pickle(out)['annotations']}


def test_clip_is_the_lines_of_its_interval(tmp_path):
    numbers = write_pku(tmp_path, rows='34,10,20,2\r\n12,40,60,1\n\n')
    run(tmp_path, tmp_path / 'pku.pkl', strict=True)
    clips = clips_of(tmp_path / 'pku.pkl')
    first, second = clips['0002-L_F00010-00020_A34'], clips['0002-L_F00040-00060_A12']
    expected = numbers.transpose(1, 0, 2, 3).astype(np.float32)
    np.testing.assert_array_equal(first['keypoint'], expected[:, 10:20])
    # The second person has left.
    np.testing.assert_array_equal(second['keypoint'], expected[:1, 40:60])
    assert (first['label'], first['video'], first['camera']) == (33, '0002-L', 'L')
    assert CLASSES[second['label']] == 'giving something to other person'
    assert load_pickle(tmp_path / 'pku.pkl')['classes'][33] == 'standing up'


def test_second_edition_s_names_are_read(tmp_path):
    write_pku(tmp_path, 'A10N08-R', rows='1,0,9,2\n')
    run(tmp_path, tmp_path / 'pku.pkl')
    assert clips_of(tmp_path / 'pku.pkl')['A10N08-R_F00000-00009_A01']['camera'] == 'R'


def test_splits_are_those_of_the_files(tmp_path):
    for name in ('0002-L', '0002-M', '0003-R', '0009-L'):
        write_pku(tmp_path, name, frames=20, rows='3,2,9,1\n')
    xsub, xview = tmp_path / 'cross-subject.txt', tmp_path / 'cross-view.txt'
    xsub.write_text('Training videos: \n0002-L, 0002-M\nValidataion videos: \n0003-R')
    xview.write_text(
        'Training videos:\r\n0002-M, 0003-R,\r\nValidation videos:\r\n0002-L'
    )
    run(tmp_path, tmp_path / 'pku.pkl', dict(xsub=xsub, xview=xview))
    split = load_pickle(tmp_path / 'pku.pkl')['split']
    assert {
        name: [clip.split('_')[0] for clip in clips] for name, clips in split.items()
    } == dict(
        xsub_train=['0002-L', '0002-M'],
        xsub_val=['0003-R'],
        xview_train=['0002-M', '0003-R'],
        xview_val=['0002-L'],
    )


def test_list_of_the_other_phase_is_an_error(tmp_path):
    write_pku(tmp_path, 'A01N01-L', rows='3,2,9,1\n')
    path = tmp_path / 'cross-subject.txt'
    path.write_text('Training videos: \n0002-L, 0002-M\nValidation videos: \n0003-R')
    with pytest.raises(
        ValueError, match='none of the 1 recordings .* xsub_train; take'
    ):
        run(tmp_path, tmp_path / 'pku.pkl', dict(xsub=path))
    assert not (tmp_path / 'pku.pkl').exists()


def test_without_split_files_there_is_one_split(tmp_path):
    write_pku(tmp_path, rows='3,2,9,1\n')
    run(tmp_path, tmp_path / 'pku.pkl')
    assert list(load_pickle(tmp_path / 'pku.pkl')['split']) == ['all']


@pytest.mark.parametrize(
    ('row', 'kind'),
    [
        ('52,1,9,1', 'unknown class'),
        ('0,1,9,1', 'unknown class'),
        ('3,9,9,1', 'empty interval'),
        ('3,60,70,1', 'interval outside the recording'),
        ('3,x,9,1', 'bad label row'),
        ('3 1 9', 'bad label row'),
    ],
)
def test_bad_label_row_is_reported_and_the_others_are_read(tmp_path, row, kind):
    write_pku(tmp_path, rows=f'5,1,9,2\n{row}\n6,11,19,2\n')
    report = run(tmp_path, tmp_path / 'pku.pkl')
    assert (report.clips, report.reasons) == (2, {kind: 1})
    with pytest.raises(ValueError, match=kind):
        run(tmp_path, tmp_path / 'strict.pkl', strict=True)


def test_end_past_the_recording_is_cut_and_noted(tmp_path):
    write_pku(tmp_path, rows='5,50,64,2\n')
    report = run(tmp_path, tmp_path / 'pku.pkl')
    assert report.notes == {'an end past the recording': 1}
    assert report.frames == 10


@pytest.mark.parametrize(
    ('change', 'kind'),
    [
        (lambda text: b'', 'empty'),
        (lambda text: text[: text.index(b'\n') * 5 + 40], 'wrong number of columns'),
        (lambda text: text.replace(b'\n', b' 1\n'), 'wrong number of columns'),
        (lambda text: b'<html>\n' * 60, 'wrong number of columns'),
        (lambda text: text.replace(b'0.', b'nan.'), 'not a number'),
        (lambda text: b' '.join([b'nan'] * 150) + b'\n' + text, 'NaN or infinite'),
        (lambda text: (b'0 ' * 150 + b'\n') * 60, 'no person'),
    ],
)
def test_bad_recording_is_reported(tmp_path, change, kind):
    write_pku(tmp_path, '0001-L', rows='5,1,9,2\n')
    write_pku(tmp_path, rows='5,0,30,2\n')
    path = tmp_path / 'skeletons' / '0002-L.txt'
    path.write_bytes(change(path.read_bytes()))
    report = run(tmp_path, tmp_path / 'pku.pkl')
    assert (report.clips, report.reasons) == (1, {kind: 1})


def test_line_of_a_bad_recording_is_counted_from_its_start(tmp_path):
    write_pku(tmp_path, rows='5,20,30,2\n5,0,9,1\n')
    path = tmp_path / 'skeletons' / '0002-L.txt'
    lines = path.read_text().split('\n')
    lines[24] = '1 2 3'
    path.write_text('\n'.join(lines))
    report = run(tmp_path, tmp_path / 'pku.pkl')
    assert report.skipped[0]['reason'].endswith('3 numbers in line 25, not 150')


def test_recording_without_label_file_is_reported(tmp_path):
    write_pku(tmp_path, '0001-L', rows='5,1,9,2\n')
    write_pku(tmp_path)
    (tmp_path / 'labels' / '0002-L.txt').unlink()
    assert run(tmp_path, tmp_path / 'pku.pkl').reasons == {'no label file': 1}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('0002-L, 0003-L', 'is not a split file'),
        ('Training videos:\n0002-L', 'is not a split file'),
        ('Training videos:\n0002-L\nValidation videos:\n0002-L', '0002-L is in both'),
    ],
)
def test_bad_split_file_is_an_error(tmp_path, text, message):
    path = tmp_path / 'cross-subject.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_split_file(path)


def test_real_recording_and_split_file(data_dir, tmp_path):
    raw = data_dir / 'raw_pku'
    for part in ('skeletons', 'labels'):
        (tmp_path / part).mkdir()
    (tmp_path / 'skeletons' / 'A10N08-L.txt').symlink_to(raw / 'A10N08-L.txt')
    rows = '34,10,200,2\n12,400,640,1\n3,900,1040,2\n'
    (tmp_path / 'labels' / 'A10N08-L.txt').write_text(rows)
    run(tmp_path, tmp_path / 'pku.pkl', strict=True)
    clips = list(clips_of(tmp_path / 'pku.pkl').values())
    assert [clip['total_frames'] for clip in clips] == [190, 240, 140]
    assert max(clip['keypoint'].shape[0] for clip in clips) == 2
    lines = (raw / 'A10N08-L.txt').read_text().splitlines()
    expected = np.array([float(value) for value in lines[400].split()])
    found = np.zeros((2, 25, 3))
    found[: len(clips[1]['keypoint'])] = clips[1]['keypoint'][:, 0]
    np.testing.assert_array_equal(found.ravel(), expected.astype(np.float32))
    split = read_split_file(raw / 'cross-subject.txt')
    assert {name: len(videos) for name, videos in split.items()} == dict(
        train=944, val=132
    )
