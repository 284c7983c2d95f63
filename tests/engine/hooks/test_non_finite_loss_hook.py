"""A loss that is not finite: stopped at or left out, in a real runner."""

import json

import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hiclr_mmaction.engine import NonFiniteLossHook


@HOOKS.register_module()
class SpoilClip(Hook):
    """Makes a coordinate of some steps' batches NaN, and keeps the model's state."""

    priority = 'VERY_HIGH'

    def __init__(self, steps):
        self.steps = steps
        self.states = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.states.append(state(runner))
        if runner.iter in self.steps:
            data_batch['inputs'][1][:] = float('nan')

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.states.append(state(runner))


def state(runner):
    """All that a step changes, as copies."""
    tensors = dict(runner.model.state_dict())
    for i, values in runner.optim_wrapper.optimizer.state_dict()['state'].items():
        tensors[f'momentum {i}'] = values['momentum_buffer']
    return {name: value.detach().clone() for name, value in tensors.items()}


def train(tmp_path, steps, **hook):
    """Three steps, some of them spoiled; returns the runner and what was kept."""
    cfg = synthetic_config(
        tmp_path,
        **{
            'custom_hooks': [dict(type='SpoilClip', steps=steps)],
            'default_hooks.non_finite_loss': dict(type='NonFiniteLossHook', **hook),
            'optim_wrapper.clip_grad': dict(max_norm=1.0),
        },
    )
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.pop('save_best')
    runner = Runner.from_cfg(cfg)
    kept = next(h for h in runner.hooks if isinstance(h, SpoilClip))
    return runner, kept


def test_the_run_stops_and_tells_what_led_to_it(tmp_path):
    runner, _ = train(tmp_path, steps=[1])
    report = tmp_path / 'nonfinite_step2_rank0.json'
    with pytest.raises(FloatingPointError, match=rf'step 2 \(epoch 1\).* in {report}'):
        runner.train()
    told = json.loads(report.read_text())
    assert (told['step'], told['batch'], told['rank']) == (2, 2, 0)
    assert told['losses']['loss_contrast'] == told['losses']['loss'] == 'nan'
    assert set(told['losses']) >= {'loss_level1', 'loss_level2'}
    assert told['learning_rates']['lr'][0] > 0
    assert told['grad_norm'] == 'nan'
    assert told['inputs_finite'] is False
    dataset = runner.train_dataloader.dataset
    names = {dataset.get_data_info(i)['frame_dir'] for i in range(len(dataset))}
    assert len(told['clips']) == 8
    assert {clip['frame_dir'] for clip in told['clips']} <= names


def test_a_skipped_step_leaves_everything_as_it_was(tmp_path):
    runner, kept = train(tmp_path, steps=[1], action='skip')
    runner.train()
    assert runner.iter == 3
    before, after = kept.states[2:4]
    # Weights, batch statistics, queue, key encoder and its counter, momentum.
    assert 'queue.features' in before
    assert 'key_encoder.steps' in before
    assert 'momentum 0' in before
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name]), name
    end = state(runner)
    assert all(value.isfinite().all() for value in end.values())
    assert not torch.equal(end['queue.features'], after['queue.features'])
    # Nothing of the step is in the log.
    assert len(runner.message_hub.get_scalar('train/loss').data[0]) == 2


def test_the_first_step_can_be_skipped(tmp_path):
    runner, kept = train(tmp_path, steps=[0], action='skip')
    runner.train()
    assert kept.states[0].keys() == kept.states[1].keys()  # no momentum of NaN
    end = state(runner)
    assert all(value.isfinite().all() for value in end.values())
    # The key encoder started as a copy of the query encoder after that.
    assert end['key_encoder.steps'] == 2


def test_skipping_gives_up_where_every_loss_is_not_finite(tmp_path):
    runner, _ = train(tmp_path, steps=[0, 1, 2], action='skip', max_skips=2)
    with pytest.raises(FloatingPointError, match='step 3 .* after 2 skipped steps'):
        runner.train()


def test_no_checkpoint_is_written_of_weights_that_are_not_finite(tmp_path):
    runner, _ = train(tmp_path, steps=[2])
    with pytest.raises(FloatingPointError):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))


def test_an_interval_looks_at_the_end_of_an_epoch_as_well(tmp_path):
    runner, _ = train(tmp_path, steps=[0, 1, 2], interval=20)
    with pytest.raises(FloatingPointError, match='step 3 '):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(action='ignore'), "action='ignore' is unknown; it is 'stop' or 'skip'"),
        (dict(action='skip', max_skips=0), 'max_skips=0 is below 1'),
        (dict(interval=0), 'interval=0; it is 1 or more'),
        (dict(action='skip', interval=5), "interval=5; .* with action='skip' 1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        NonFiniteLossHook(**arguments)
