"""Runs that are stopped and resumed, as processes of their own, by tools/train.py."""

import contextlib
import multiprocessing
import operator
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from helpers.configs import synthetic_config
from helpers.process import finish as process_ended
from helpers.process import fork, fork_ranks, run_program
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from hiclr_mmaction.checkpoint import load_file
from hiclr_mmaction.engine.hooks.resumable_checkpoint_hook import EXIT_INTERRUPTED


@HOOKS.register_module()
class TerminateAt(Hook):
    """Sends SIGTERM to its own process at a moment of a run, unless it is resumed."""

    def __init__(self, moment, step):
        self.moment, self.step = moment, step

    def _reach(self, runner, moment):
        if (moment, runner.iter) == (self.moment, self.step) and not runner._resume:
            os.kill(os.getpid(), signal.SIGTERM)

    def before_val_iter(self, runner, *args, **kwargs):
        self._reach(runner, 'validation')

    def before_train_iter(self, runner, *args, **kwargs):
        self._reach(runner, 'step')


EPOCHS, STEPS = 4, 4  # steps of an epoch
# The loss is scaled by a factor that grows on the way.
FLOAT16 = {
    'optim_wrapper.type': 'Float16OptimWrapper',
    'optim_wrapper.loss_scale': dict(init_scale=256.0, growth_interval=4),
}
# The views are drawn by a transform: in the workers, where there are any.
IN_PIPELINE = {
    'model.data_preprocessor.views': None,
    'train_dataloader.dataset.pipeline': [
        dict(type='SkeletonAlign', num_frames=24, num_person=1),
        dict(
            type='GrowingAugmentation',
            levels=[
                [dict(type='SkeletonShear')],
                [dict(type='SkeletonNoise')],
                [dict(type='SkeletonJointMask')],
            ],
        ),
        dict(type='PackSkeletonViews'),
    ],
}
# What depends on the clock, and nothing else.
CLOCK = ('time', 'data_time', 'eta', 'memory')
OF_A_PROCESS = ('cfg', 'experiment_name', 'mmengine_version', 'epoch', 'iter')


def write_config(
    folder: Path, workers: int = 1, terminate_at: tuple = (), **options
) -> Path:
    """A run of 16 steps in which every generator and every part with a state has a say.

    Dropout, perturbed edges and views draw in the main process; mining begins on the
    way; two of the four epochs are validated.
    """
    cfg = synthetic_config(folder / 'unused')
    few = dict(num_subjects=4, num_val_subjects=1)
    cfg.train_dataloader.update(
        batch_size=4, num_workers=workers, persistent_workers=workers > 0
    )
    cfg.train_dataloader.dataset.update(few)
    for dataset in cfg.val_dataloader.dataset.datasets:
        dataset.update(few)
    cfg.merge_from_dict(
        {
            'model.queue_size': 10,
            'model.backbone.tcn_dropout': 0.1,
            'model.graph_augment': dict(drop=0.3, add=0.1),
            'model.mining': dict(topk=1),
            'model.data_preprocessor.ada_in': dict(prob=0.5),
            'model.backbone.num_stages': 2,
            'model.backbone.inflate_stages': [],
            'model.backbone.down_stages': [2],
            'train_cfg.max_epochs': EPOCHS,
            'train_cfg.val_interval': 2,
            'optim_wrapper.clip_grad': dict(max_norm=1.0),
            'default_hooks.checkpoint.interval': 1,
            'default_hooks.checkpoint.max_keep_ckpts': 2,
            'default_hooks.logger.interval': 1,
            'vis_backends': [],
            'visualizer.vis_backends': [],
            **options,
        }
    )
    cfg.custom_hooks.append(dict(type='NeighborMiningHook', begin=2))
    if terminate_at:
        cfg.custom_hooks.append(
            dict(type='TerminateAt', moment=terminate_at[0], step=terminate_at[1])
        )
    path = folder / 'config.py'
    cfg.dump(path)
    return path


def start(config: Path, work_dir: Path, *args: str) -> multiprocessing.Process:
    """Start tools/train.py in a process of its own."""
    args = 'train', config, '--work-dir', work_dir, *args
    return fork(run_program, *args, log=f'{work_dir}.log')


def finish(process: multiprocessing.Process, work_dir: Path, status: int = 0) -> None:
    process_ended(process, f'{work_dir}.log', status)


def wait_for_line(process, work_dir: Path, text: str, count: int) -> bool:
    """Wait until the logs have a number of lines with a text; false if it ends before."""
    while process.is_alive():
        if lines_logged(work_dir, text) >= count:
            return True
        time.sleep(0.002)
    return False


def wait_for_writing(process, work_dir: Path) -> bool:
    """Wait until a checkpoint is half written; false if the process ends before."""
    while process.is_alive():
        with contextlib.suppress(FileNotFoundError):  # it is whole already
            if any(path.stat().st_size for path in work_dir.glob('.hiclr-*.part')):
                return True
    return False


def lines_logged(work_dir: Path, text: str = 'Epoch(train)') -> int:
    """Lines of mmengine's logs, of all starts; the console shows fewer."""
    return sum(log.read_text().count(text) for log in work_dir.glob('*/*.log'))


def parts_with_a_state(checkpoint: Path) -> dict:
    """All of a checkpoint, flat, save the clock, its folder, moment and commit.

    ``runtime_info`` has the epoch and the step that a process began last: a resumed one
    sets them when it starts. Those that count are in ``meta``.
    """
    content = load_file(checkpoint)
    content['meta'] = {k: content['meta'][k] for k in ('epoch', 'iter', 'seed')}
    hub = content['message_hub']
    flat = {}

    def add(name, value):
        if hasattr(value, 'data') and hasattr(value, 'max_length'):  # HistoryBuffer
            value = [x.tolist() for x in value.data]
        if isinstance(value, dict):
            for key, part in value.items():
                add(f'{name}.{key}', part)
        elif isinstance(value, (list, tuple)):
            for i, part in enumerate(value):
                add(f'{name}.{i}', part)
        else:
            flat[name] = value

    for kind in ('log_scalars', 'runtime_info'):
        hub[kind] = {
            k: v
            for k, v in hub[kind].items()
            if k.rpartition('/')[2] not in CLOCK
            and not k.endswith(('_ckpt', '_ckpts'))
            and k not in OF_A_PROCESS
        }
    add('', content)
    return flat


def assert_same_end(first: Path, second: Path) -> None:
    """Both runs hold the same files of the same content, bit for bit."""
    names = sorted(p.name for p in first.glob('*.pth'))
    assert sorted(p.name for p in second.glob('*.pth')) == names
    assert f'epoch_{EPOCHS}.pth' in names
    for name in names:
        a, b = parts_with_a_state(first / name), parts_with_a_state(second / name)
        assert a.keys() == b.keys()
        for key, value in a.items():
            same = (
                torch.equal(value, b[key])
                if isinstance(value, torch.Tensor)
                else value == b[key]
            )
            assert same, f'{name}: {key}'
    last = (second / 'last_checkpoint').read_text()
    assert last == str(second / f'epoch_{EPOCHS}.pth')
    assert not list(second.rglob('*.part'))
    assert not list(second.rglob('interrupted*'))


@pytest.fixture(scope='module')
def uninterrupted(tmp_path_factory):
    """Config and folder of a run that nobody stopped, with one data worker."""
    folder = tmp_path_factory.mktemp('uninterrupted')
    config = write_config(folder)
    finish(start(config, folder / 'run'), folder / 'run')
    return config, folder / 'run'


def test_sigterm_and_then_sigkill_lose_nothing(uninterrupted, tmp_path):
    config, whole = uninterrupted
    run = tmp_path / 'run'
    process = start(config, run)
    assert wait_for_line(process, run, 'Epoch(train)', 4)
    os.killpg(process.pid, signal.SIGTERM)  # to the data worker as well
    finish(process, run, status=EXIT_INTERRUPTED)
    step = load_file(run / 'interrupted.pth')['meta']['iter']
    assert 4 <= step < EPOCHS * STEPS
    said = f'SIGTERM: the run stops after step {step}, saved as {run}/interrupted.pth'
    assert said in Path(f'{run}.log').read_text()

    process = start(config, run, '--resume')
    assert wait_for_writing(process, run)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    finish(start(config, run, '--resume'), run)
    assert_same_end(whole, run)


@pytest.mark.slow
def test_sigkills_at_any_moment_lose_nothing(uninterrupted, tmp_path):
    config, whole = uninterrupted
    rng = random.Random(8)
    kills, writing, runs = 0, 0, 0
    while kills < 8:
        runs += 1
        run = tmp_path / f'run{runs}'
        while True:
            process = start(config, run, '--resume')
            if kills >= 8:
                caught = False
            elif kills % 2:
                caught = wait_for_writing(process, run)
            else:
                # Also before the first step; and any moment of a step.
                lines = lines_logged(run) + rng.randrange(4)
                caught = wait_for_line(process, run, 'Epoch(train)', lines)
                time.sleep(rng.random() / 4)
            if caught and process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
            process.join()
            if process.exitcode == 0:
                break
            assert process.exitcode == -signal.SIGKILL
            kills += 1
            writing += any(run.glob('.hiclr-*.part'))  # half a file was left
        assert_same_end(whole, run)
    assert writing
    print(
        f'{kills} kills, {writing} of them while a checkpoint was written, {runs} runs'
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ('moment', 'workers', 'options'),
    [
        (('step', 5), 0, {}),  # amid an epoch
        (('step', 7), 0, {}),  # at the end of one
        (('validation', 8), 0, {}),
        (('validation', 8), 2, {'train_dataloader.persistent_workers': False}),
        (('step', 6), 0, IN_PIPELINE),
        (('step', 15), 2, {'train_dataloader.drop_last': False, **IN_PIPELINE}),
        (('step', 10), 1, FLOAT16),
    ],
)
def test_sigterm_at_any_moment_loses_nothing(tmp_path, moment, workers, options):
    config = write_config(tmp_path, workers, moment, **options)
    run = tmp_path / 'run'
    finish(start(config, run), run, status=EXIT_INTERRUPTED)
    at = load_file(run / 'interrupted.pth')['meta']['iter']
    assert at == moment[1] + (moment[0] == 'step')
    finish(start(config, run, '--resume'), run)
    # `resume=True` keeps the hook quiet; there is nothing to resume from.
    whole = tmp_path / 'whole'
    finish(start(config, whole, '--cfg-options', 'resume=True'), whole)
    assert_same_end(whole, run)


@pytest.mark.slow
def test_checkpoints_by_steps_are_as_exact(uninterrupted, tmp_path):
    _, whole = uninterrupted
    by_steps = {
        'default_hooks.checkpoint.by_epoch': False,
        'default_hooks.checkpoint.interval': 3,
        'default_hooks.checkpoint.save_best': None,
    }
    config = write_config(tmp_path, **by_steps)
    run = tmp_path / 'run'
    process = start(config, run)
    assert wait_for_line(process, run, 'Epoch(train)', 8)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    finish(start(config, run, '--resume'), run)
    assert [p.name for p in sorted(run.glob('*.pth'))] == ['iter_15.pth', 'iter_16.pth']
    end = parts_with_a_state(run / 'iter_16.pth')
    for key, value in parts_with_a_state(whole / f'epoch_{EPOCHS}.pth').items():
        if key.startswith(('.state_dict', '.optimizer')):
            same = torch.equal if isinstance(value, torch.Tensor) else operator.eq
            assert same(value, end[key]), key


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_is_passed_over(uninterrupted, tmp_path):
    config, whole = uninterrupted
    run = tmp_path / 'run'
    shutil.copytree(whole, run)
    newest = run / f'epoch_{EPOCHS}.pth'
    newest.write_bytes(newest.read_bytes()[:5000])
    finish(start(config, run, '--resume'), run)
    log = Path(f'{run}.log').read_text()
    assert f'{newest} cannot be read: it is truncated' in log
    assert f'Resuming from {run}/epoch_{EPOCHS - 1}.pth instead' in log
    assert_same_end(whole, run)


@pytest.mark.slow
def test_two_ranks_end_alike_at_sigterm_and_resume_exactly(tmp_path):
    config = write_config(tmp_path, **{'train_dataloader.batch_size': 2})

    def launch(run: Path, *args: str) -> list[multiprocessing.Process]:
        args = 'train', config, '--launcher', 'pytorch', '--work-dir', run, *args
        return fork_ranks(2, run_program, *args, log=f'{run}.log')

    whole, run = tmp_path / 'whole', tmp_path / 'run'
    for process in launch(whole):
        finish(process, whole)

    processes = launch(run)
    assert wait_for_line(processes[0], run, 'Epoch(train) [2][1/4]', 1)
    for process in processes:
        process.terminate()
    for process in processes:
        finish(process, run, status=EXIT_INTERRUPTED)
    # The ranks ask each other every 10 steps, and after an epoch.
    assert load_file(run / 'interrupted.pth')['meta']['iter'] in (8, 10, 12)

    for process in launch(run, '--resume'):
        finish(process, run)
    assert_same_end(whole, run)
