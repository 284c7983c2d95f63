"""Linear evaluation in a real runner, against the encoder run in every epoch."""

import subprocess
import sys
from pathlib import Path

import mmaction
import pytest
import torch
from helpers.configs import probe_config, save_pretrained
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import load_file, load_safely

MMACTION_TEST = Path(mmaction.__file__).parent / '.mim' / 'tools' / 'test.py'


@pytest.fixture(scope='module')
def pretrained(tmp_path_factory):
    return save_pretrained(tmp_path_factory.mktemp('pretrained') / 'pretrained.pth')


def build(tmp_path, pretrained, **options):
    return Runner.from_cfg(probe_config(tmp_path, pretrained, **options))


def count_calls(runner):
    """Count the batches that go through the encoder."""
    calls = []
    norm = runner.model.backbone.data_bn
    norm.register_forward_hook(lambda *_: calls.append(norm.training))
    return calls


class Trained:
    """A run that is over, with what is to be known of it."""

    def __init__(self, folder, pretrained, **options):
        options = {'model.cls_head.dropout': 0.5, **options}
        self.cfg = probe_config(folder, pretrained, **options)
        self.cfg.dump(str(folder / 'cfg.py'))
        self.runner = Runner.from_cfg(self.cfg)
        self.calls = count_calls(self.runner)
        self.runner.train()
        self.scalars = {
            name: history.data[0].tolist()
            for name, history in self.runner.message_hub.log_scalars.items()
        }
        self.file = folder / 'epoch_3.pth'
        self.state = load_file(self.file)['state_dict']


@pytest.fixture(scope='module')
def cached(tmp_path_factory, pretrained):
    return Trained(tmp_path_factory.mktemp('cached'), pretrained)


@pytest.fixture(scope='module')
def plain(tmp_path_factory, pretrained):
    options = {'train_cfg.cache': False}
    return Trained(tmp_path_factory.mktemp('plain'), pretrained, **options)


def test_classifier_and_scores_are_those_of_the_encoder_run_every_epoch(cached, plain):
    for name in ('cls_head.fc.weight', 'cls_head.fc.bias'):
        torch.testing.assert_close(
            cached.state[name], plain.state[name], rtol=0, atol=1e-5
        )
    assert cached.state['cls_head.fc.weight'].abs().max() > 0.05  # it has trained
    for name in ('train/loss', 'val/acc/top1'):
        assert cached.scalars[name] == pytest.approx(plain.scalars[name], abs=1e-5)


def test_encoder_sees_each_clip_once_and_never_in_training_mode(cached, plain):
    # 24 and 12 clips by fives; three epochs of four batches, two validations.
    assert cached.calls == [False] * (5 + 3)
    assert plain.calls == [False] * (3 * 4 + 2 * 3)


def test_encoder_is_kept_to_the_last_bit(cached, plain, pretrained):
    loaded = load_file(pretrained)['state_dict']
    names = [name for name in loaded if name.startswith('backbone.')]
    assert len(names) > 50
    for run in (cached, plain):
        assert set(run.state) == {*names, 'cls_head.fc.weight', 'cls_head.fc.bias'}
        assert all(torch.equal(run.state[name], loaded[name]) for name in names)


def test_last_epoch_is_validated_whatever_the_interval(cached):
    assert len(cached.scalars['val/acc/top1']) == 2  # after 2 epochs and after 3


def test_checkpoint_tests_to_the_same_accuracy(cached):
    cfg = cached.cfg.copy()
    cfg.load_from = str(cached.file)
    cfg.experiment_name = 'test_of_the_probe'
    with load_safely():
        metrics = Runner.from_cfg(cfg).test()
    assert metrics['acc/top1'] == cached.scalars['val/acc/top1'][-1]


@pytest.mark.slow
@pytest.mark.skipif(not MMACTION_TEST.is_file(), reason='no tools in this mmaction2')
def test_mmaction2_own_test_tool_finds_the_same_accuracy(cached, tmp_path):
    config = tmp_path / 'test.py'
    imports = ['hiclr_mmaction', 'hiclr_mmaction.safe_loading']
    config.write_text(
        f'_base_ = {cached.runner.work_dir + "/cfg.py"!r}\n'
        f'custom_imports = dict(imports={imports})\n'
    )
    command = [
        sys.executable, MMACTION_TEST, config, cached.file, '--work-dir', tmp_path
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    found = result.stdout.rpartition('acc/top1: ')[2].split()[0]
    assert float(found) == pytest.approx(cached.scalars['val/acc/top1'][-1], abs=1e-4)


def test_model_and_loaders_are_as_before_afterwards(cached):
    runner = cached.runner
    assert runner.train_loop.dataloader.dataset[0]['inputs'].dim() == 5
    assert runner.val()['acc/top1'] == cached.scalars['val/acc/top1'][-1]


def test_resumed_run_ends_where_the_unbroken_one_does(tmp_path, pretrained):
    # Without dropout, whose draws no checkpoint of mmengine keeps.
    unbroken = build(tmp_path / 'a', pretrained)
    unbroken.train()
    resumed = build(tmp_path / 'b', pretrained)
    resumed._resume, resumed._load_from = True, str(tmp_path / 'a' / 'epoch_1.pth')
    calls = count_calls(resumed)
    with load_safely():
        resumed.train()
    assert len(calls) == 8
    for name, value in unbroken.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], value)


def test_extraction_is_told_in_one_line(tmp_path, pretrained, caplog):
    runner = build(tmp_path, pretrained, **{'train_cfg.max_epochs': 1})
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert caplog.text.count('Extracted') == 1
    assert 'Extracted 24 (train) and 12 (val) features of width 16' in caplog.text


class TestErrors:
    def refused(self, tmp_path, pretrained, message, **options):
        runner = build(tmp_path, pretrained, **options)
        calls = count_calls(runner)
        with pytest.raises(ValueError, match=message):
            runner.train()
        assert not calls
        assert 'val/acc/top1' not in runner.message_hub.log_scalars

    def with_rotation(self, tmp_path, pretrained, loader, cache):
        cfg = probe_config(tmp_path, pretrained, **{'train_cfg.cache': cache})
        rotate = dict(type='SkeletonRotate', main_degrees=20)
        cfg[loader].dataset.pipeline.insert(1, rotate)
        return Runner.from_cfg(cfg)

    @pytest.mark.parametrize('name', ['train', 'val'])
    def test_random_transform_is_named(self, tmp_path, pretrained, name):
        runner = self.with_rotation(tmp_path, pretrained, f'{name}_dataloader', True)
        message = f'SkeletonRotate of {name}_dataloader.*train_cfg.cache=False'
        with pytest.raises(ValueError, match=message):
            runner.train()

    def test_random_transform_trains_without_the_cache(self, tmp_path, pretrained):
        runner = self.with_rotation(tmp_path, pretrained, 'train_dataloader', False)
        runner.train()
        assert (tmp_path / 'epoch_3.pth').exists()

    def test_blending_is_named(self, tmp_path, pretrained):
        blending = dict(type='MixupBlending', num_classes=3)
        preprocessor = dict(type='ActionDataPreprocessor', blending=blending)
        options = {'model.data_preprocessor': preprocessor}
        self.refused(tmp_path, pretrained, 'blending of model', **options)

    def test_batch_larger_than_the_set(self, tmp_path, pretrained):
        options = {'train_dataloader.batch_size': 32}
        self.refused(tmp_path, pretrained, 'leaves no batch of 24 clips', **options)

    def test_clips_without_the_axis_of_cuts(self, tmp_path, pretrained):
        cfg = probe_config(tmp_path, pretrained)
        cfg.train_dataloader.dataset.pipeline[1:] = [dict(type='PackSkeletonViews')]
        with pytest.raises(ValueError, match=r'\(5, 1, 24, 25, 3\); end the pipeline'):
            Runner.from_cfg(cfg).train()

    def test_a_deviation_over_time(self, tmp_path, pretrained):
        options = {
            'model.cls_head.type': 'PooledGCNHead',
            'model.cls_head.pool': dict(std=True),
        }
        self.refused(tmp_path, pretrained, 'pool.std=True.*cache=False', **options)

    def test_another_model(self, tmp_path, pretrained):
        options = {'model.cls_head': None}
        self.refused(tmp_path, pretrained, 'cls_head.type=GCNHead', **options)


def test_a_head_that_keeps_time_and_joints_trains_on_cached_features(
    tmp_path_factory, pretrained
):
    options = {
        'model.cls_head.type': 'PooledGCNHead',
        'model.cls_head.pool': dict(time=2, joints=True),
        'model.cls_head.num_joints': 25,
    }
    cached = Trained(tmp_path_factory.mktemp('kept'), pretrained, **options)
    options['train_cfg.cache'] = False
    plain = Trained(tmp_path_factory.mktemp('kept_plain'), pretrained, **options)
    weight = cached.state['cls_head.fc.weight']
    assert weight.shape == (3, 16 * 2 * 25)
    torch.testing.assert_close(
        weight, plain.state['cls_head.fc.weight'], rtol=0, atol=1e-4
    )
