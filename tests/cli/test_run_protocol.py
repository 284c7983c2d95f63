"""`tools/run_protocol.py`: its steps, how they go on, and its table."""

import json
import signal
import subprocess
import sys
import time

import pytest
import torch
from helpers.paths import ROOT
from helpers.protocol import write_config
from mmengine.config import Config

from hiclr_mmaction.apis import baseline_clips
from hiclr_mmaction.cli.label_curve import LabelCurve
from hiclr_mmaction.cli.label_curve import parse_args as label_curve_args
from hiclr_mmaction.datasets import choose_clips
from hiclr_mmaction.evaluation.baselines import nearest_neighbour

SPLIT = 'train_dataloader.dataset.split=xview_train'


@pytest.fixture
def tool(load_tool):
    return load_tool('run_protocol')


def protocol(tool, config, *args):
    return tool.Protocol(tool.parse_args([str(config), *map(str, args)]))


class TestOptions:
    def test_are_for_all_steps_or_for_one(self, tool):
        made = protocol(
            tool,
            ROOT / 'configs' / 'hiclr_stgcn_synthetic.py',
            '--stream',
            'bone',
            '--cfg-options',
            'train_dataloader.batch_size=4',
            'pretrain:model.queue_size=8',
            'semi:train_cfg.max_epochs=3',
            '--fraction',
            '0.2',
        )
        common = [
            'model.data_preprocessor.stream=bone',
            'train_dataloader.batch_size=4',
        ]
        assert made.options('pretrain') == [*common, 'model.queue_size=8']
        # The k-NN loads the pre-training's model.
        assert made.options('knn') == made.options('pretrain')
        assert made.options('linear') == common
        assert made.options('semi') == [
            *common[:1],
            'fraction=0.2',
            *common[1:],
            'train_cfg.max_epochs=3',
        ]

    @pytest.mark.parametrize(
        ('option', 'message'),
        [
            ('model', 'model: write KEY=VALUE'),
            ('semi:model', 'model: write KEY=VALUE'),
            ('lineal:train_cfg.max_epochs=2', 'lineal is no step'),
            ('knn:model.a=[1', "model.a: '[1' is not a value"),
        ],
    )
    def test_that_cannot_be_read_are_refused(self, tool, capsys, option, message):
        with pytest.raises(SystemExit):
            tool.parse_args(['config.py', '--cfg-options', option])
        said = capsys.readouterr().err
        assert '--cfg-options: ' in said
        assert message in said

    def test_missing_files_are_named(self, tool, tmp_path):
        with pytest.raises(SystemExit, match='config not found: nowhere.py'):
            protocol(tool, 'nowhere.py')
        config = ROOT / 'configs' / 'hiclr_stgcn_synthetic.py'
        with pytest.raises(SystemExit, match='checkpoint not found: nowhere.pth'):
            protocol(tool, config, '--checkpoint', 'nowhere.pth')


def test_work_folder_of_another_run_is_refused(tool, tmp_path):
    config = write_config(tmp_path)
    args = (config, '--work-dir', tmp_path / 'work')
    first = protocol(tool, *args)
    first.work_dir.mkdir()
    first.save(pretrain=dict(checkpoint='a.pth', epoch=2))
    again = protocol(tool, *args, '--steps', 'knn')
    again.load()
    assert again.results == first.results
    for change, message in [
        (('--seed', 1), 'seed=0, this one has 1: name another --work-dir'),
        (('--untrained',), "encoder='pretrain', this one has 'untrained'"),
        (('--stream', 'bone'), "stream=None, this one has 'bone'"),
    ]:
        with pytest.raises(SystemExit, match=message):
            protocol(tool, *args, *change).load()


class TestConfigThatChanged:
    @pytest.fixture
    def again(self, tool, tmp_path):
        """Load the results of a run whose config a text of it was replaced in."""
        path = write_config(tmp_path)
        args = (path, '--work-dir', tmp_path, '--steps', 'linear')
        before = protocol(tool, *args)
        before.save(pretrain=dict(checkpoint='a.pth', epoch=2))

        def load(old='', new=''):
            path.write_text(path.read_text().replace(old, new))
            made = protocol(tool, *args)
            made.load()
            return made

        return load

    @pytest.mark.parametrize(
        ('old', 'new', 'message'),
        [
            ('queue_size=8', 'queue_size=6', r'\(pretrain\): model.queue_size was 8 and'),
            ('max_epochs=2, val_interval=1), param', 'max_epochs=3), param',
             r'\(linear\): train_cfg.max_epochs was 2 and is 3'),
        ],
    )  # fmt: skip
    def test_is_told_and_its_results_are_kept(self, again, tmp_path, old, new, message):
        kept = (tmp_path / 'results.json').read_text()
        with pytest.raises(SystemExit, match=message):
            again(old, new)
        assert (tmp_path / 'results.json').read_text() == kept
        assert again(new, old).results['pretrain']['epoch'] == 2

    def test_in_how_clips_are_loaded_is_the_same(self, again):
        assert again('num_workers=0', 'num_workers=1').results

    def test_before_there_were_results_is_no_matter(self, again, tmp_path):
        file = tmp_path / 'results.json'
        file.write_text(json.dumps(dict(json.loads(file.read_text()), results={})))
        assert again('queue_size=8', 'queue_size=6').results == {}

    def test_is_not_known_of_older_files(self, again, tmp_path, capsys):
        file = tmp_path / 'results.json'
        content = json.loads(file.read_text())
        del content['configs']
        file.write_text(json.dumps(content))
        made = again('queue_size=8', 'queue_size=6')
        assert made.results == content['results']
        assert 'results.json does not tell its config' in capsys.readouterr().err
        made.save()
        with pytest.raises(SystemExit, match='queue_size was 6 and is 4'):
            again('queue_size=6', 'queue_size=4')


STREAM = 'model.data_preprocessor.stream=motion'


def test_the_stream_is_the_configs_unless_one_is_named(tool, tmp_path):
    config = write_config(tmp_path)
    args = (config, '--work-dir', tmp_path)
    assert protocol(tool, *args).stream == 'joint'
    assert protocol(tool, *args, '--cfg-options', STREAM).stream == 'motion'
    text = config.read_text()
    config.write_text(
        text.replace(
            'model = dict(', "model = dict(data_preprocessor=dict(stream='bone'),"
        )
    )
    assert protocol(tool, *args).stream == 'bone'
    assert protocol(tool, *args, '--stream', 'motion').stream == 'motion'


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['--stream', 'bone', '--cfg-options', STREAM], 'pretrain .* motion, not bone'),
        (['--cfg-options', f'linear:{STREAM}'], 'linear .* motion, not joint'),
    ],
)
def test_steps_of_different_streams_are_refused(tool, tmp_path, args, message):
    with pytest.raises(SystemExit, match=f'{message}: name the stream .* by --stream'):
        protocol(tool, write_config(tmp_path), *args)


def test_table_holds_the_last_epochs(tool, tmp_path, capsys):
    made = protocol(tool, write_config(tmp_path), '--work-dir', tmp_path)
    accuracy = {'acc/top1': 0.5, 'acc/top5': 1.0, 'acc/mean1': 0.25}
    made.save(pretrain=dict(checkpoint='epoch_9.pth', epoch=9))
    made.save(knn=dict(metrics={'knn/k1': 0.25, 'knn/k20': 0.125}))
    made.save(semi=dict(epoch=7, fraction=0.125, metrics=accuracy))
    made.save(baselines=dict(accuracies={'0.1': {'MiniRocket': 0.75}}))
    tool.show(made)
    lines = (tmp_path / 'results.md').read_text().splitlines()
    assert lines[0] == (
        'tiny, encoder pre-trained here, seed 0, joint stream: accuracy after the last '
        'epoch, %'
    )
    assert lines[2:] == [
        '| protocol | epoch | top-1 | top-5 | mean class |',
        '| --- | ---: | ---: | ---: | ---: |',
        '| k-NN (k = 1) | 9 | 25.00 |  |  |',
        '| k-NN (k = 20) | 9 | 12.50 |  |  |',
        # The share that one clip of each class comes to.
        '| semi-supervised (12.5 %) | 7 | 50.00 | 100.00 | 25.00 |',
        '| MiniRocket (12.5 %) |  | 75.00 |  |  |',
    ]
    shown = capsys.readouterr().out
    assert 'semi-supervised (12.5 %)' in shown
    assert str(tmp_path / 'results.json') in shown


def test_baselines_learn_from_the_labels_that_the_protocols_use(tool, tmp_path):
    config = write_config(tmp_path)
    args = config, '--work-dir', tmp_path, '--fraction', 0.5, '--seed', 1
    made = protocol(tool, *args, '--baselines', '1-NN on joints', 'MiniRocket')
    made.save(semi=dict(epoch=2, fraction=0.5, metrics={}))
    made.baselines(['1-NN on joints'])
    (train, labels, names), (test, answers, _) = (
        baseline_clips(made.cfg, part) for part in ('train', 'val')
    )
    chosen = choose_clips(names, labels.tolist(), 1, 0.5)
    expected = {}
    for fraction, rows in {'1.0': slice(None), '0.5': chosen}.items():
        model = nearest_neighbour().fit(train[rows], labels[rows])
        expected[fraction] = {'1-NN on joints': model.score(test, answers)}
    assert made.results['baselines']['accuracies'] == expected
    named = {row[0] for row in tool.table_rows(made.results)}
    assert {'1-NN on joints', '1-NN on joints (50 %)'} <= named


@pytest.mark.slow
@pytest.mark.parametrize('untrained', [False, True])
def test_only_a_pre_trained_backbone_starts_with_its_classifier_at_a_smaller_rate(
    tmp_path, run_forked, untrained
):
    config = write_config(tmp_path, epochs=1)
    smaller = 'dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))'
    loop = 'dict(type="FineTuneLoop", max_epochs=1)'
    changed = f'semi=dict(labelled, optim_wrapper={smaller}, train_cfg={loop})'
    text = config.read_text()
    assert 'semi=labelled' in text
    config.write_text(text.replace('semi=labelled', changed))
    encoder = ['--untrained'] if untrained else []
    code, said = run_forked(
        'run_protocol',
        config,
        '--steps',
        'semi',
        '--work-dir',
        tmp_path / 'w',
        *encoder,
    )
    assert code == 0, said
    used = Config.fromfile(tmp_path / 'w' / 'semi' / 'tiny_semi.py')
    assert (used.optim_wrapper.paramwise_cfg is None) == untrained
    assert (used.train_cfg.type == 'FineTuneLoop') != untrained


def test_the_split_of_training_is_followed_by_that_of_testing():
    config = ROOT / 'configs' / 'hiclr_stgcn_ntu60.py'
    options = ['--baselines', '--no-hybrid', '--cfg-options', SPLIT]
    curve = LabelCurve(label_curve_args([str(config), *options]))
    datasets = curve.cfg.test_dataloader.dataset.datasets
    assert [d.split for d in datasets] == ['xview_train', 'xview_val']


def test_untrained_encoder_is_the_one_that_training_begins_with(
    tool, tmp_path, run_tool, monkeypatch
):
    config = write_config(tmp_path, epochs=1)
    monkeypatch.chdir(tmp_path)
    made = protocol(tool, config, '--untrained', '--seed', 3)
    initial = made.initial_encoder()['state_dict']
    run_tool(
        'train', config, '--seed', 3, '--work-dir', 'w', '--no-validate',
        '--cfg-options', 'optim_wrapper.optimizer.lr=1e-30', 'custom_hooks=[]',
    )  # fmt: skip
    trained = torch.load('w/epoch_1.pth', weights_only=False)['state_dict']
    names = [
        k for k in initial if k.startswith('backbone') and k.endswith('conv.weight')
    ]
    assert names
    for name in names:
        torch.testing.assert_close(initial[name], trained[name], rtol=0, atol=0)


@pytest.mark.slow
class TestRuns:
    def start(self, tmp_path, *args):
        """As a user does, in a process of its own."""
        script = ROOT / 'tools' / 'run_protocol.py'
        command = sys.executable, script, *self.args(tmp_path), *args
        pipe = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return subprocess.Popen(list(map(str, command)), cwd=tmp_path, **pipe)

    def args(self, tmp_path):
        return tmp_path / 'tiny.py', '--work-dir', tmp_path / 'work'

    def test_stopped_run_goes_on_where_it_was(self, tmp_path, run_forked):
        write_config(tmp_path, epochs=12)
        work = tmp_path / 'work'
        run = self.start(tmp_path)
        try:
            self.wait_for(work / 'pretrain' / 'epoch_2.pth', run)
        finally:
            run.terminate()
        run.communicate(timeout=60)
        assert run.returncode == 128 + signal.SIGTERM
        assert json.loads((work / 'results.json').read_text())['results'] == {}
        stopped = (work / 'pretrain' / 'last_checkpoint').read_text()

        code, said = run_forked('run_protocol', *self.args(tmp_path))
        assert code == 0, said[-3000:]
        epoch = stopped.rpartition('_')[2].removesuffix('.pth')
        assert f'resumed after epoch {epoch}, ' in said
        content = json.loads((work / 'results.json').read_text())
        results = content['results']
        assert list(results) == ['pretrain', 'knn', 'linear', 'finetune', 'semi']
        assert results['pretrain']['epoch'] == 12
        assert set(results['knn']['metrics']) == {'knn/k1', 'knn/k5', 'knn/k20'}
        for step in ('linear', 'finetune', 'semi'):
            assert results[step]['epoch'] == 2
            assert (tmp_path / results[step]['scores']).is_file()
            assert f'{100 * results[step]["metrics"]["acc/top1"]:.2f}' in said
        fraction = results['semi']['fraction']  # what a tenth of few clips comes to
        assert 0.1 <= fraction < 0.2
        table = (work / 'results.md').read_text()
        assert f'semi-supervised ({100 * fraction:.3g} %)' in table

        # Nothing is done twice, and a step can be added.
        before = sorted(work.rglob('*.pth'))
        code, said = run_forked('run_protocol', *self.args(tmp_path))
        assert code == 0
        assert 'semi: done before' in said
        assert sorted(work.rglob('*.pth')) == before

    def test_failing_step_is_named_and_keeps_the_results(self, tmp_path):
        write_config(tmp_path)
        bad = self.start(
            tmp_path, '--untrained', '--steps', 'knn', 'linear',
            '--cfg-options', 'linear:model.cls_head.in_channels=9',
        )  # fmt: skip
        said, failed = bad.communicate(timeout=600)
        assert bad.returncode == 1
        assert 'step linear failed (train.py ended with 1)' in failed
        results = json.loads((tmp_path / 'work' / 'results.json').read_text())[
            'results'
        ]
        assert list(results) == ['pretrain', 'knn']
        assert 'protocol' not in said.splitlines()[-1]

    def wait_for(self, path, run, seconds=600):
        for _ in range(10 * seconds):
            if path.exists() or run.poll() is not None:
                break
            time.sleep(0.1)
        assert path.exists()
