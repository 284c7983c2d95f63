"""The converters as programs: options, results, and how they end."""

import json

import numpy as np
import pytest
from helpers.raw_files import write_ntu, write_pku

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.datasets import HiCLRNpyDataset, SkeletonDataset

NAMES = ['S001C001P001R001A001', 'S001C002P003R001A002']


@pytest.fixture
def run(run_tool):
    """Run a converter in this process."""
    return lambda name, *args: run_tool(f'data/{name}', *args)


@pytest.fixture
def raw(tmp_path):
    for seed, name in enumerate(NAMES):
        write_ntu(tmp_path / 'raw', name, frames=12 + seed, seed=seed)
    return tmp_path / 'raw'


def test_ntu_makes_the_folder_the_pickle_and_the_report(run, raw, tmp_path):
    out = tmp_path / 'data' / 'skeleton' / 'ntu60_3d.pkl'
    run('ntu', raw, out, '--workers', '1')
    assert len(SkeletonDataset(str(out), [], 'xsub_train')) == 1
    report = json.loads((out.parent / 'ntu60_3d.pkl.report.json').read_text())
    assert (report['clips'], report['frames']) == (2, 25)


def test_options_reach_the_conversion(run, raw, tmp_path):
    out = tmp_path / 'a.pkl'
    (tmp_path / 'list.txt').write_text(f'Samples:\n{NAMES[1]}.skeleton\n')
    options = [
        '--allow-empty',
        '--align',
        '10',
        '--ignore',
        tmp_path / 'list.txt',
        '--workers',
        '2',
    ]
    options += ['--dataset', 'ntu120', '--bodies', 'most-motion', '--max-frames', '12']
    run('ntu', raw, out, *options)
    content = load_pickle(out)
    assert content['prepared']['num_frames'] == 10
    assert [clip['frame_dir'] for clip in content['annotations']] == NAMES[:1]
    assert set(content['split']) == {'xsub_train', 'xset_val'}
    settings = json.loads((tmp_path / 'a.pkl.report.json').read_text())['settings']
    assert (settings['bodies'], settings['max_frames']) == ('most-motion', 12)


def test_empty_split_ends_with_an_error_that_names_it(run, tmp_path):
    write_ntu(tmp_path / 'raw', NAMES[0])
    with pytest.raises(
        SystemExit, match='^error: split xsub_val, xview_train is empty'
    ):
        run('ntu', tmp_path / 'raw', tmp_path / 'a.pkl', '--workers', 1)
    assert not (tmp_path / 'a.pkl').exists()


def test_max_gap_decides_what_align_interpolates(run, tmp_path):
    rows = np.random.default_rng(0).uniform(1, 2, (1, 30, 20, 3))
    rows[:, 10:16] = 0
    (tmp_path / 'own').mkdir()
    np.save(tmp_path / 'own' / 'a.npy', rows)
    found = {}
    for gap in (5, 6):
        out = tmp_path / f'{gap}.pkl'
        run(
            'own', tmp_path / 'own', out, '--layout', 'kinect20', '--align', 30,
            '--max-gap', gap, '--workers', 1, '--scale', 1, '--up', 'y',
        )  # fmt: skip
        assert load_pickle(out)['prepared']['max_gap'] == gap
        report = json.loads((tmp_path / f'{gap}.pkl.report.json').read_text())
        found[gap] = report['untracked'].get('dropped_frames', 0)
    assert found == {5: 6, 6: 0}


@pytest.mark.parametrize('options', [[], ['--align', 10]])
def test_max_gap_without_effect_is_an_error(run, raw, tmp_path, options):
    with pytest.raises(SystemExit, match='^error: --max-gap 3 has no effect'):
        run('ntu', raw, tmp_path / 'a.pkl', '--max-gap', 3, *options)


def test_max_frames_of_0_is_no_limit(run, tmp_path):
    write_ntu(tmp_path / 'raw', frames=301)
    options = ['--max-frames', 0, '--workers', 1, '--allow-empty']
    run('ntu', tmp_path / 'raw', tmp_path / 'a.pkl', *options)
    assert load_pickle(tmp_path / 'a.pkl')['annotations'][0]['total_frames'] == 301


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--strict'], r'^error: walking \(.*not an NTU name'),
        (['--workers', '0'], '^error: workers=0'),
        (['--align', '0'], '^error: align=0'),
        (['--ignore', 'nowhere.txt'], '^error: .*nowhere.txt'),
    ],
)
def test_errors_are_one_line(run, raw, tmp_path, options, message):
    write_ntu(raw, 'walking')
    with pytest.raises(SystemExit, match=message) as ending:
        run('ntu', raw, tmp_path / 'a.pkl', *options)
    assert '\n' not in str(ending.value)
    assert not (tmp_path / 'a.pkl').exists()


def test_older_result_needs_overwrite(run, raw, tmp_path):
    out = tmp_path / 'a.pkl'
    out.write_text('mine')
    with pytest.raises(SystemExit, match='a.pkl exists; set overwrite'):
        run('ntu', raw, out)
    run('ntu', raw, out, '--overwrite', '--workers', '1')
    assert len(load_pickle(out)['annotations']) == 2


def test_pku_mmd_with_split_files(run, tmp_path):
    write_pku(tmp_path, '0002-L', rows='3,2,29,1\n')
    write_pku(tmp_path, '0003-M', rows='5,2,29,1\n7,30,58,2\n')
    split = tmp_path / 'cross-subject.txt'
    split.write_text('Training videos:\n0002-L\nValidataion videos:\n0003-M\n')
    out = tmp_path / 'pku.pkl'
    folders = tmp_path / 'skeletons', tmp_path / 'labels'
    run('pku_mmd', *folders, out, '--split', f'xsub={split}', '--workers', 1)
    sizes = {name: len(clips) for name, clips in load_pickle(out)['split'].items()}
    assert sizes == dict(xsub_train=1, xsub_val=2)
    with pytest.raises(SystemExit):
        run('pku_mmd', *folders, out, '--split', 'cross-subject.txt')


def test_arrays_there_and_back(run, raw, tmp_path):
    run('ntu', raw, tmp_path / 'a.pkl', '--align', 50, '--workers', 1)
    run('hiclr_arrays', 'to-arrays', tmp_path / 'a.pkl', tmp_path / 'arrays')
    dataset = HiCLRNpyDataset(str(tmp_path / 'arrays' / 'xsub_val_position.npy'), [])
    run('hiclr_arrays', 'to-pickle', tmp_path / 'arrays', tmp_path / 'b.pkl')
    first, second = (load_pickle(tmp_path / f'{name}.pkl') for name in 'ab')
    for a in first['annotations']:
        b = next(b for b in second['annotations'] if b['frame_dir'] == a['frame_dir'])
        np.testing.assert_array_equal(a['keypoint'], b['keypoint'])
        assert (a['label'], a['subject']) == (b['label'], b['subject'])
    assert dataset[0]['frame_dir'] == NAMES[1]
    with pytest.raises(SystemExit, match='^error: .*exists'):
        run('hiclr_arrays', 'to-arrays', tmp_path / 'a.pkl', tmp_path / 'arrays')


def test_arrays_of_ctrgcn_go_both_ways(run, raw, tmp_path):
    run('ntu', raw, tmp_path / 'a.pkl')
    arrays = tmp_path / 'arrays' / 'NTU60_CS.npz'
    run('hiclr_arrays', 'to-arrays', tmp_path / 'a.pkl', arrays)
    run('hiclr_arrays', 'to-pickle', arrays, tmp_path / 'b.pkl')
    split = load_pickle(tmp_path / 'b.pkl')['split']
    assert split == dict(xsub_train=['train_000000'], xsub_val=['test_000000'])


@pytest.mark.parametrize('name', ['ntu', 'pku_mmd', 'hiclr_arrays'])
def test_help_names_the_common_options(run, capsys, name):
    command = ['to-pickle'] if name == 'hiclr_arrays' else []
    with pytest.raises(SystemExit) as ending:
        run(name, *command, '--help')
    assert ending.value.code == 0
    text = capsys.readouterr().out
    for option in ('--workers', '--overwrite', '--strict', '--ignore'):
        assert option in text


def test_own_takes_axes_columns_and_missing_joints(run, tmp_path):
    """One clip by each option, and one that its option leaves out."""
    (tmp_path / 'clips').mkdir()
    x = np.random.default_rng(0).normal(size=(30, 20, 3)).round(3)
    np.save(tmp_path / 'clips' / 'array.npy', x.transpose(2, 0, 1))
    lost = x.copy()
    lost[3, 4] = np.nan
    np.save(tmp_path / 'clips' / 'lost.npy', lost.transpose(2, 0, 1))
    head = ['mood', *(f'{axis}{joint}' for joint in range(20) for axis in 'xyz')]
    rows = [['sad', *map(str, row)] for row in x.reshape(30, 60)]
    lines = [','.join(row) for row in [head, *rows]]
    (tmp_path / 'clips' / 'table.csv').write_text('\n'.join(lines))
    options = ['--layout', 'kinect20', '--up', 'y', '--scale', '1', '--refuse-missing']
    options += ['--axes', 'CTV', '--ignore-columns', 'mood', '--workers', '1']
    run('own', tmp_path / 'clips', tmp_path / 'a.pkl', *options)
    clips = load_pickle(tmp_path / 'a.pkl')['annotations']
    assert [clip['frame_dir'] for clip in clips] == ['array', 'table']
    for clip in clips:
        np.testing.assert_allclose(clip['keypoint'][0], x, rtol=1e-6)
