"""The runner: what it writes, what it leaves out, and how it goes on."""

import errno
import gc
import io
import json
import os
import pickle
import re
import signal
import textwrap
import weakref
from pathlib import Path

import numpy as np
import pytest
from helpers.raw_files import quiet
from mmaction.datasets import PoseDataset
from rich.console import Console

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import (
    Clip,
    SkeletonConverter,
    convert,
    split_by,
    write_pose_pickle,
)
from hiclr_mmaction.converters import (
    converter as base,
)
from hiclr_mmaction.datasets import SkeletonDataset
from hiclr_mmaction.views import SkeletonAlign


class NpyFolder(SkeletonConverter):
    """A file a clip, named ``{subject}-{label}``; notes in ``read.txt`` what it read."""

    layout = 'kinect20'
    num_person = 1

    def __init__(self, folder, scale=1.0):
        self.folder = str(folder)
        self.scale = scale
        self._log = folder / 'read.txt'
        self._interrupt = None

    def clips(self):
        for path in sorted(Path(self.folder).glob('*.npy')):
            yield Clip(path.stem, (str(path),))

    def read(self, clip):
        if clip.id == self._interrupt:
            raise KeyboardInterrupt
        with open(self._log, 'a') as log:
            log.write(f'{clip.id}\n')
        subject, label = map(int, clip.id.split('-'))
        return dict(
            keypoint=np.load(clip.files[0]) * self.scale, label=label, subject=subject
        )

    def splits(self, samples):
        return split_by(samples, 'subject', {0, 1, 2}, 'xsub')

    def were_read(self):
        names = self._log.read_text().split() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return sorted(names)


@pytest.fixture
def converter(tmp_path):
    folder = tmp_path / 'clips'
    folder.mkdir()
    for i in range(10):
        clip = np.random.randn(1, 5 + i, 20, 3).astype(np.float32)
        np.save(folder / f'{i // 2}-{i % 3}.npy', clip)
    return NpyFolder(folder)


def run(converter, out, **kwargs):
    return convert(
        converter, out, **{'workers': 1, 'chunk_size': 3, 'console': quiet(), **kwargs}
    )


def test_result_is_what_both_pose_datasets_read(converter, tmp_path):
    out = tmp_path / 'poses.pkl'
    run(converter, out)
    stock = PoseDataset(str(out), [], split='xsub_train')
    ours = SkeletonDataset(str(out), [], split='xsub_train', layout='kinect20')
    assert len(stock) == len(ours) == 6
    info = stock.get_data_info(2)
    np.testing.assert_array_equal(
        info['keypoint'], np.load(converter.folder + '/1-0.npy')
    )
    assert info['keypoint'].dtype == np.float32
    assert (info['frame_dir'], info['label'], info['total_frames']) == ('1-0', 0, 8)


def test_result_is_the_same_with_any_number_of_processes(converter, tmp_path):
    run(converter, tmp_path / 'one.pkl')
    run(converter, tmp_path / 'many.pkl', workers=3, chunk_size=2)
    assert (tmp_path / 'one.pkl').read_bytes() == (tmp_path / 'many.pkl').read_bytes()


def all_names():
    return sorted(f'{i // 2}-{i % 3}' for i in range(10))


def test_older_result_is_refused_and_kept(converter, tmp_path):
    out = tmp_path / 'poses.pkl'
    out.write_text('mine')
    with pytest.raises(FileExistsError, match=r'poses.pkl exists; set overwrite'):
        run(converter, out)
    assert out.read_text() == 'mine'
    assert converter.were_read() == []
    run(converter, out, overwrite=True)
    assert len(load_pickle(out)['annotations']) == 10


def test_failure_leaves_the_older_result_and_no_temporary_file(
    converter, tmp_path, monkeypatch
):
    out = tmp_path / 'poses.pkl'
    out.write_text('mine')
    monkeypatch.setattr('hiclr_mmaction.atomic_write.Path.replace', disk_full)
    with pytest.raises(OSError, match='no space'):
        write_pose_pickle(out, [dict(frame_dir='a')], {})
    assert out.read_text() == 'mine'
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ['poses.pkl']


def disk_full(*_):
    raise OSError(errno.ENOSPC, 'no space')


def test_a_full_disk_is_no_skipped_clip(converter, tmp_path, monkeypatch):
    monkeypatch.setattr('hiclr_mmaction.atomic_write.Path.replace', disk_full)
    with pytest.raises(OSError, match='no space'):
        run(converter, tmp_path / 'poses.pkl')


BAD = {
    'NaN or infinite': lambda x: np.where(
        np.arange(x.size).reshape(x.shape) == 7, np.nan, x
    ),
    'wrong joint count': lambda x: x[:, :, :19],
    'wrong number of axes': lambda x: x[0],
    'wrong number of coordinates': lambda x: x[..., :2],
    'no person or no frame': lambda x: x[:, :0],
    'no person': lambda x: x * 0,
    'too long': lambda x: np.repeat(x, 70, axis=1),
}


@pytest.mark.parametrize('kind', BAD)
@pytest.mark.parametrize('workers', [1, 2])
def test_unusable_clip_is_reported_and_not_in_the_result(
    converter, tmp_path, kind, workers
):
    converter.max_frames = 300
    path = f'{converter.folder}/1-2.npy'
    np.save(path, BAD[kind](np.load(path)))
    out = tmp_path / 'poses.pkl'
    report = run(converter, out, workers=workers)
    assert [(s['clip'], s['file']) for s in report.skipped] == [('1-2', path)]
    assert report.reasons == {kind: 1}
    content = load_pickle(out)
    assert [a['frame_dir'] for a in content['annotations']] == [
        name for name in all_names() if name != '1-2'
    ]
    assert '1-2' not in content['split']['xsub_train']
    with pytest.raises(ValueError, match=rf'1-2 \(.*\) cannot be used: {kind}: '):
        run(converter, tmp_path / 'strict.pkl', workers=workers, strict=True)
    assert not (tmp_path / 'strict.pkl').exists()


@pytest.mark.parametrize('workers', [1, 2])
def test_stopped_run_leaves_nothing_behind(converter, tmp_path, workers):
    """And a folder of the user's, called as older versions called theirs, stays."""
    out = tmp_path / 'poses.pkl'
    mine = tmp_path / 'poses.pkl.parts'
    mine.mkdir()
    (mine / 'notes.txt').write_text('mine')
    before = sorted(path.name for path in tmp_path.iterdir())
    converter._interrupt = '2-2'
    with pytest.raises(KeyboardInterrupt):
        run(converter, out, workers=workers)
    converter.were_read()
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    converter._interrupt = None
    run(converter, out, workers=workers)
    assert (mine / 'notes.txt').read_text() == 'mine'


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir, lambda path: None])
def test_what_is_no_regular_file_is_not_opened(converter, tmp_path, make):
    path = tmp_path / 'clips' / '1-2.npy'
    clips = list(converter.clips())
    converter.clips = lambda: clips
    path.unlink()
    make(path)
    report = run(converter, tmp_path / 'poses.pkl')
    kind = 'not a regular file' if path.exists() else 'cannot be read'
    assert report.reasons == {kind: 1}


RAISED = {
    'recursion': (
        lambda: RAISED['recursion'][0](),
        'RecursionError: maximum recursion',
    ),
    'memory': (lambda: np.zeros((2**40, 2**10)), 'MemoryError: Unable to allocate'),
    'key': (lambda: {}['keypoint'], "KeyError: 'keypoint'"),
    'overflow': (lambda: float(10**400), 'OverflowError: int too large'),
    'json': (lambda: json.loads('['), 'JSONDecodeError: Expecting value'),
}


@pytest.mark.parametrize('name', RAISED)
@pytest.mark.parametrize('workers', [1, 2])
def test_whatever_a_reader_raises_is_reported_for_its_file(
    converter, tmp_path, name, workers
):
    action, message = RAISED[name]
    read = converter.read
    converter.read = lambda clip: action() if clip.id == '1-2' else read(clip)
    report = run(converter, tmp_path / 'poses.pkl', workers=workers)
    assert report.clips == 9
    (entry,) = report.skipped
    assert entry['clip'] == '1-2'
    assert entry['reason'].startswith(f'cannot be read: {message}')


def test_killed_worker_is_an_error_with_the_remedy(converter, tmp_path):
    converter.read = lambda clip: os.kill(os.getpid(), signal.SIGKILL)
    with pytest.raises(ValueError, match='worker process was killed.* --workers'):
        run(converter, tmp_path / 'poses.pkl', workers=2)
    assert not list(tmp_path.glob('*poses*'))


@pytest.mark.parametrize(
    ('up', 'turn'),
    [
        ('y', lambda x, y, z: (x, y, z)),
        ('-y', lambda x, y, z: (x, -y, -z)),
        ('z', lambda x, y, z: (x, z, -y)),
        ('-z', lambda x, y, z: (x, -z, y)),
        ('x', lambda x, y, z: (-y, x, z)),
        ('-x', lambda x, y, z: (y, -x, z)),
    ],
)
def test_up_and_scale_give_upright_metres(converter, tmp_path, up, turn):
    run(converter, tmp_path / 'poses.pkl', up=up, scale=0.001)
    clip = load_pickle(tmp_path / 'poses.pkl')['annotations'][0]['keypoint']
    raw = np.load(f'{converter.folder}/0-0.npy')
    expected = 0.001 * np.stack(turn(*np.moveaxis(raw, -1, 0)), axis=-1)
    np.testing.assert_allclose(clip, expected, rtol=1e-5)


def test_what_the_converter_knows_of_a_file_gives_way_to_the_settings(
    converter, tmp_path
):
    read = converter.read
    converter.read = lambda clip: dict(read(clip), up='z', scale=100.0)
    run(converter, tmp_path / 'known.pkl')
    run(converter, tmp_path / 'said.pkl', up='y', scale=1.0)
    raw = np.load(f'{converter.folder}/0-0.npy')
    known, said = (
        load_pickle(tmp_path / name)['annotations'][0]['keypoint']
        for name in ('known.pkl', 'said.pkl')
    )
    np.testing.assert_allclose(known[..., 1], 100 * raw[..., 2], rtol=1e-5)
    np.testing.assert_array_equal(said, raw)


@pytest.mark.parametrize('allow_empty', [False, True])
def test_no_clip_in_any_split_is_an_error(converter, tmp_path, allow_empty):
    converter.splits = lambda samples: dict(xsub_train=[], xsub_val=[])
    with pytest.raises(
        ValueError, match='xsub_train, xsub_val is empty: none of the 10'
    ):
        run(converter, tmp_path / 'poses.pkl', allow_empty=allow_empty)
    assert not (tmp_path / 'poses.pkl').exists()


def test_empty_split_is_an_error_or_left_out(converter, tmp_path):
    out = tmp_path / 'poses.pkl'
    converter.splits = lambda samples: split_by(samples, 'subject', range(10), 'xsub')
    with pytest.raises(ValueError, match=r'split xsub_val is empty.*--allow-empty'):
        run(converter, out)
    assert not out.exists()
    report = run(converter, out, allow_empty=True)
    assert report.splits == dict(xsub_train=10, xsub_val=0)
    assert set(load_pickle(out)['split']) == {'xsub_train'}


def test_second_clip_of_a_name_is_left_out(converter, tmp_path):
    first = list(converter.clips())
    converter.clips = lambda: [*first, Clip('0-0', ('elsewhere/0-0.npy',))]
    report = run(converter, tmp_path / 'poses.pkl')
    assert report.clips == 10
    assert report.reasons == {'name taken': 1}
    assert report.skipped[0]['file'] == 'elsewhere/0-0.npy'


def test_ignored_clips_are_counted_and_not_read(converter, tmp_path):
    report = run(
        converter, tmp_path / 'a.pkl', ignore={'0-0', '3-1', 'none'}, strict=True
    )
    assert (report.clips, report.ignored, report.skipped) == (8, 2, [])
    assert '0-0' not in converter.were_read()


def test_no_usable_clip_is_an_error_with_a_report(converter, tmp_path):
    converter.max_frames = 1
    with pytest.raises(
        ValueError, match='no clip could be used, 0-0 for one: too long'
    ):
        run(converter, tmp_path / 'poses.pkl')
    assert not (tmp_path / 'poses.pkl').exists()
    report = json.loads((tmp_path / 'poses.pkl.report.json').read_text())
    assert report['reasons'] == {'too long': 10}


def test_no_clip_at_all_is_an_error(tmp_path):
    (tmp_path / 'clips').mkdir()
    with pytest.raises(ValueError, match='NpyFolder has no clip to convert'):
        run(NpyFolder(tmp_path / 'clips'), tmp_path / 'poses.pkl')


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(workers=0), 'workers=0 is less than 1'),
        (dict(align=0), 'align=0: num_frames=0, num_person=1; both must be at least 1'),
        (dict(out='poses.json'), 'must end in .pkl'),
        (dict(up='w'), "up='w' is not one of y, -y"),
        (dict(scale=0.0), 'scale=0.0 is not above 0'),
    ],
)
def test_settings_out_of_range_are_errors_before_anything_is_read(
    converter, tmp_path, kwargs, message
):
    out = tmp_path / kwargs.pop('out', 'poses.pkl')
    with pytest.raises(ValueError, match=message):
        run(converter, out, **kwargs)
    assert converter.were_read() == []


def test_align_without_shoulders_is_an_error(converter, tmp_path):
    converter.layout = dict(
        num_joints=20, bones=[(v, 0) for v in range(1, 20)], center=0
    )
    with pytest.raises(ValueError, match='has no shoulders'):
        run(converter, tmp_path / 'poses.pkl', align=8)


def test_report_counts(converter, tmp_path):
    converter.classes = ('wave', 'sit', 'throw')
    out = tmp_path / 'poses.pkl'
    report = run(converter, out)
    assert json.loads(report.path.read_text())['clips'] == 10
    assert report.frames == sum(range(5, 15))
    assert report.persons == 10
    assert report.per_class == {'0 wave': 4, '1 sit': 3, '2 throw': 3}
    assert report.per_subject == {str(i): 2 for i in range(5)}
    assert report.splits == dict(xsub_train=6, xsub_val=4)
    assert load_pickle(out)['classes'] == ['wave', 'sit', 'throw']


def test_summary_names_what_was_left_out(converter, tmp_path):
    console = Console(record=True, width=120, file=io.StringIO())
    np.save(f'{converter.folder}/0-0.npy', np.zeros((1, 5, 20, 3)))
    run(converter, tmp_path / 'poses.pkl', console=console)
    text = console.export_text()
    for piece in ['left out', '1 no person (such as 0-0)', 'split xsub_val', '4: 2']:
        assert piece in text


def test_aligned_clips_are_what_the_transform_gives(converter, tmp_path):
    run(converter, tmp_path / 'raw.pkl')
    run(converter, tmp_path / 'aligned.pkl', align=8)
    align = SkeletonAlign(layout='kinect20', num_frames=8, num_person=1)
    raw = SkeletonDataset(str(tmp_path / 'raw.pkl'), [align], 'xsub_val', 'kinect20')
    aligned = SkeletonDataset(str(tmp_path / 'aligned.pkl'), [], 'xsub_val', 'kinect20')
    for i in range(4):
        a, b = raw[i], aligned[i]
        np.testing.assert_array_equal(a['keypoint'], b['keypoint'])
        assert {k: a[k] for k in ('total_frames', 'num_clips', 'clip_len')} == {
            k: b[k] for k in ('total_frames', 'num_clips', 'clip_len')
        }


def test_scores_go_along_and_are_joined_by_align(converter, tmp_path):
    converter.layout = 'coco'

    def read(clip):
        x = np.random.default_rng(0).uniform(1, 200, (2, 6, 17, 2))
        x[1] = 0
        score = np.full((2, 6, 17), 0.5)
        return dict(keypoint=x, keypoint_score=score, subject=0)

    converter.read = read
    converter.splits = lambda samples: dict(all=[s['frame_dir'] for s in samples])
    run(converter, tmp_path / 'raw.pkl')
    sample = load_pickle(tmp_path / 'raw.pkl')['annotations'][0]
    assert sample['keypoint'].shape == (1, 6, 17, 2)
    assert sample['keypoint_score'].shape == (1, 6, 17)
    run(converter, tmp_path / 'aligned.pkl', align=4)
    sample = load_pickle(tmp_path / 'aligned.pkl')['annotations'][0]
    assert sample['keypoint'].shape == (1, 4, 17, 3)
    assert (sample['keypoint'][..., 2] == 0.5).all()


def test_no_clip_stays_in_memory_while_the_result_is_written(tmp_path):
    alive = []

    def clips():
        for i in range(5):
            gc.collect()
            assert sum(ref() is not None for ref in alive) <= 1  # the one just written
            x = np.full((1, 4, 20, 3), i, np.float32)
            alive.append(weakref.ref(x))
            yield dict(frame_dir=str(i), keypoint=x)
            del x

    write_pose_pickle(tmp_path / 'poses.pkl', clips(), dict(all=['0']), layout='x')
    content = pickle.loads((tmp_path / 'poses.pkl').read_bytes())
    assert [a['keypoint'][0, 0, 0, 0] for a in content['annotations']] == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert content['layout'] == 'x'


def test_example_of_the_documentation_works(tmp_path, monkeypatch):
    code = textwrap.dedent(re.search(r'converter::\n\n(.*)', base.__doc__, re.S)[1])
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data' / 'csv').mkdir(parents=True)
    rows = np.random.randn(4, 60)
    np.savetxt('data/csv/a03.csv', rows, delimiter=',')
    np.savetxt('data/csv/a04.csv', rows[:, :59], delimiter=',')
    names = dict(
        SkeletonConverter=SkeletonConverter,
        Clip=Clip,
        convert=lambda *args: run(*args),
        np=np,
        Path=Path,
    )
    exec(code, names)
    clip = load_pickle('data/mine.pkl')['annotations']
    assert [(c['frame_dir'], c['label']) for c in clip] == [('a03', 3)]
    np.testing.assert_allclose(
        clip[0]['keypoint'], rows.reshape(1, 4, 20, 3), rtol=1e-6
    )


@pytest.mark.parametrize('align', [None, 16])
def test_what_alignment_drops_and_fills_is_in_the_report(converter, tmp_path, align):
    path = Path(converter.folder) / '3-0.npy'
    clip = np.random.randn(1, 30, 20, 3).astype(np.float32) + 5
    clip[:, :12] = 0
    clip[:, 20:22, 7] = 0
    np.save(path, clip)
    report = convert(converter, tmp_path / 'out.pkl', align=align, console=quiet())
    assert report.untracked == dict(dropped_frames=12, filled_joints=2)
    shown = io.StringIO()
    report.print(Console(file=shown, width=200))
    assert 'drops 12 frames without anybody, interpolates joints 2 times' in (
        shown.getvalue()
    )
    assert json.loads(report.path.read_text())['untracked'] == report.untracked


@pytest.mark.parametrize('align', [None, 16])
def test_clips_in_which_something_is_lost_can_be_refused(converter, tmp_path, align):
    path = Path(converter.folder) / '3-0.npy'
    clip = np.load(path) + 5
    clip[:, 3, 7] = 0
    np.save(path, clip)
    converter.untracked = 'refuse'
    report = convert(converter, tmp_path / 'out.pkl', align=align, console=quiet())
    assert report.reasons == {'persons or joints are lost': 1}
    assert report.skipped[0]['reason'].endswith('lost: filled_joints=1')
