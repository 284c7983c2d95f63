"""What a person sees of a run."""

import re

import pytest
from helpers.configs import synthetic_config
from mmengine.hooks import Hook

from hiclr_mmaction.cli.common import build_runner, plain_errors
from hiclr_mmaction.engine.hooks.console_hook import LINES


def train(tmp_path, capsys, **options):
    """The runner and the console's lines of a run of 24 clips, 8 a step."""
    cfg = synthetic_config(tmp_path, **options)
    cfg._filename = 'tiny.py'
    runner = build_runner(cfg)
    with plain_errors(runner):
        runner.train()
    return runner, capsys.readouterr().out.splitlines()


def test_console_says_what_runs_how_far_it_is_and_what_came_out(tmp_path, capsys):
    runner, lines = train(tmp_path, capsys, **{'train_cfg.max_epochs': 20})
    facts = dict(re.match(r'(\w+) +(.*)', line).groups() for line in lines[:5])
    assert list(facts) == ['config', 'data', 'model', 'device', 'results']
    assert facts['data'] == (
        '24 training clips, 12 evaluation clips, 12 classes, 1 person per clip, layout '
        'nturgb+d (25 joints)'
    )
    assert facts['model'].startswith('HiCLR with backbone HiCLRSTGCN, ')
    steps = [line for line in lines if ', step ' in line]
    assert 1 < len(steps) <= LINES
    assert re.fullmatch(
        r'epoch 20/20, step 60/60, loss \d\.\d+, spread 0\.\d+, 0:00:00 left', steps[-1]
    )
    assert any(line.startswith('epoch 20: knn/k1 ') for line in lines)
    assert lines[-1].startswith('done in 0:0')
    assert lines[-1].endswith(str(tmp_path))
    assert len(lines) < 80
    text = '\n'.join(lines)
    assert not re.search('deprecated|Exp name|Hook', text)
    (log,) = tmp_path.glob('*/*.log')
    assert 'Hooks will be executed' in log.read_text()


def test_time_left_is_of_this_runs_pace(tmp_path, capsys):
    first = {'default_hooks.checkpoint.interval': 1}
    train(tmp_path, capsys, **first)
    again = {
        'load_from': str(tmp_path / 'epoch_1.pth'), 'resume': True,
        'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 9,
    }  # fmt: skip
    _, lines = train(tmp_path, capsys, **again)
    steps = [line for line in lines if re.search(r', step \d/', line)]
    assert 'resumed after epoch 1, step 3' in lines
    assert re.search(r'step 4/6, .*, 0:00:[0-2]\d left', steps[0])
    assert ', step 6/6, ' in steps[-1]


#: Data that are only missed where they are read.
MISSING = dict(
    _delete_=True,
    type='SkeletonDataset',
    ann_file='missing.pkl',
    layout='nturgb+d',
    pipeline=[],
)


def test_error_before_the_first_step_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        train(tmp_path, capsys, **{'train_dataloader.dataset': MISSING})
    assert '\n' not in ended.value.code
    assert 'Traceback' not in capsys.readouterr().out
    (log,) = tmp_path.glob('*/*.log')
    assert 'Traceback' in log.read_text()


class FailsLate(Hook):
    def after_train_epoch(self, runner):
        raise ValueError('late')


def test_error_of_a_later_step_is_raised(tmp_path):
    runner = build_runner(synthetic_config(tmp_path))
    runner.register_hook(FailsLate())
    with pytest.raises(ValueError, match='late'), plain_errors(runner):
        runner.train()


def test_test_builds_no_training_data(tmp_path, capsys):
    cfg = synthetic_config(tmp_path)
    cfg.merge_from_dict({'train_dataloader.dataset': MISSING})
    runner = build_runner(cfg)
    runner.test()
    out = capsys.readouterr().out
    assert re.search(r'data +12 evaluation clips', out)
    assert out.splitlines()[-1].startswith('knn/k1 ')
