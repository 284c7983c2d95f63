"""Train a model: pre-training, linear evaluation or fine-tuning, as the config says.

Example:
    python tools/train.py configs/hiclr_stgcn_synthetic.py --seed 0
"""

import argparse
import sys

from mmengine.config import Config
from mmengine.device import get_device

from ..checkpoint import find_whole_checkpoint, load_safely
from ..compat import leave_processes
from ..engine import (
    PretrainCheckHook,
    PretrainedCheckHook,
    TrainingInterrupted,
)
from ..engine.config_check import check_same_experiment, check_work_dir
from .common import (
    add_common_arguments,
    build_runner,
    load_config,
    merge_common,
    one_line,
    plain_errors,
    require_file,
    work_dir,
)
from .failures import one_line_failures, resumable
from .lock import work_dir_lock


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a skeleton model')
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue a run from this checkpoint, or, without a value, from the '
        'latest intact one in the work folder; without any, start from the beginning',
    )
    parser.add_argument(
        '--resume-changed',
        action='store_true',
        help='continue a run even if settings of its model or clips have changed',
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const='float16',
        choices=['float16', 'bfloat16'],
        help='train in mixed precision: float16 with loss scaling (the default; needs '
        'a GPU), or bfloat16',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='skip validation while training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the real batch (of all processes, times '
        "accumulative_counts) over the config's auto_scale_lr.base_batch_size",
    )
    parser.add_argument('--seed', type=int, help="random seed; wins over the config's")
    parser.add_argument(
        '--diff-rank-seed',
        action='store_true',
        help='give each process a seed of its own',
    )
    parser.add_argument(
        '--deterministic',
        action='store_true',
        help='use deterministic kernels only, which may be slower',
    )
    add_common_arguments(parser)
    return parser.parse_args(argv)


def merge_args(cfg, args: argparse.Namespace) -> list[str]:
    """Put the options into the config; returns messages for the log."""
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp is not None:
        use_amp(cfg, args.amp)
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            sys.exit(
                '--auto-scale-lr: the config does not set the reference batch of its '
                'learning rate; add auto_scale_lr=dict(base_batch_size=...)'
            )
        cfg.auto_scale_lr.enable = True

    randomness = dict(cfg.get('randomness') or {})
    if args.seed is not None:
        randomness['seed'] = args.seed
    if args.diff_rank_seed:
        randomness['diff_rank_seed'] = True
    if args.deterministic:
        randomness['deterministic'] = True
    # The runner's own default is an empty seed, which it draws and logs.
    cfg.randomness = {'seed': None, **randomness}

    notes = []
    # Also if the config or an option sets resume=True without a checkpoint.
    said = dict(cfg, **(args.cfg_options or {}))
    auto = 'auto' if said.get('resume') and not said.get('load_from') else None
    resume = args.resume or auto
    if resume is not None:
        checkpoint, passed_over = find_resume(resume, work_dir(cfg, args))
        notes += passed_over
        cfg.resume = checkpoint is not None
        if checkpoint is not None:
            cfg.load_from = checkpoint
    merge_common(cfg, args)
    return notes


def use_amp(cfg, dtype: str) -> None:
    """Switch the optimizer wrapper to mixed precision."""
    if dtype == 'float16' and get_device() == 'cpu':
        sys.exit(
            '--amp float16 needs a GPU and none was found: use --amp bfloat16, or leave '
            'it out'
        )
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper', 'BFloat16OptimWrapper'):
        sys.exit(
            f'--amp cannot change optim_wrapper.type={kind!r}: set it to '
            "'AmpOptimWrapper' or 'BFloat16OptimWrapper' in the config, or leave --amp out"
        )
    if dtype == 'bfloat16':
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
        cfg.optim_wrapper.pop('loss_scale', None)
    else:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def find_resume(resume: str, folder: str) -> tuple[str | None, list[str]]:
    """The checkpoint to continue from, and messages about the choice."""
    if resume != 'auto':
        require_file(resume, 'checkpoint to resume from')
        return resume, []
    try:
        checkpoint, passed_over = find_whole_checkpoint(folder)
    except ValueError as error:
        sys.exit(str(error))
    if checkpoint is None:
        return None, [f'--resume found no checkpoint in {folder}: starting afresh']
    notes = [f'{reason} Resuming from {checkpoint} instead.' for reason in passed_over]
    return str(checkpoint), notes


def check_folder(cfg, args: argparse.Namespace) -> None:
    """Check that a run neither overwrites nor continues another one."""
    with one_line():
        if not cfg.get('resume'):
            check_work_dir(cfg.work_dir)
        elif cfg.get('load_from') and not args.resume_changed:
            check_same_experiment(cfg, cfg.load_from)


def count_accumulation(runner) -> None:
    """Count all clips of an optimizer step as the batch of `--auto-scale-lr`.

    mmengine multiplies the batch size of the loader only by the number of processes.
    """
    scaling = runner.auto_scale_lr or {}
    steps = runner.cfg.optim_wrapper.get('accumulative_counts', 1)
    if scaling.get('enable') and steps > 1:
        base = scaling['base_batch_size'] / steps
        runner.auto_scale_lr = dict(scaling, base_batch_size=base)


def train() -> int:
    """Train as the command line says; returns the exit status."""
    args = parse_args()
    cfg = load_config(args.config)
    folder = work_dir(cfg, args)
    how = 'the same command with --resume continues from the last checkpoint'
    with resumable(how), one_line_failures(folder), work_dir_lock(folder):
        return run(cfg, args)


def run(cfg: Config, args: argparse.Namespace) -> int:
    """Train in a locked folder; returns the exit status."""
    notes = merge_args(cfg, args)
    check_folder(cfg, args)
    runner = build_runner(cfg)
    count_accumulation(runner)
    for note in notes:
        runner.logger.warning(note)
    try:
        with load_safely(), plain_errors(runner):
            for hook in runner.hooks:
                if isinstance(hook, PretrainCheckHook | PretrainedCheckHook):
                    hook.check(runner)
            runner.train()
    except TrainingInterrupted as stop:
        return stop.code
    return 0


def main() -> None:
    status = train()
    leave_processes()  # here, where nothing refers to the runner any more
    if status:
        sys.exit(status)


if __name__ == '__main__':
    main()
