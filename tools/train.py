"""Train a model: pre-training, linear evaluation or fine-tuning, as the config says.

Example:
    python tools/train.py configs/hiclr_stgcn_synthetic.py --seed 0
"""

import argparse
import os.path as osp
import sys

from _cli import (
    add_common_arguments,
    build_runner,
    load_config,
    merge_common,
    require_file,
    work_dir,
)
from mmengine.device import get_device
from mmengine.runner import find_latest_checkpoint

from hiclr_mmaction.compat import leave_processes
from hiclr_mmaction.engine import PretrainCheckHook, PretrainedCheckHook


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a skeleton model')
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue a run from this checkpoint, or, without a value, from the '
        'latest one in the work folder; a folder without any starts afresh',
    )
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision (needs a GPU)'
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='skip validation while training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help="scale the learning rate by the real batch size over the config's "
        'auto_scale_lr.base_batch_size',
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


def merge_args(cfg, args: argparse.Namespace) -> None:
    """Put the options into the config; one line ends the program if one can't be."""
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        use_amp(cfg)
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            sys.exit(
                '--auto-scale-lr: the config does not say for which batch its '
                'learning rate is; add auto_scale_lr=dict(base_batch_size=...)'
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
    cfg.randomness = randomness or dict(seed=None)

    if args.resume is not None:
        checkpoint = find_resume(args.resume, work_dir(cfg, args))
        cfg.resume = checkpoint is not None
        if checkpoint is not None:
            cfg.load_from = checkpoint
    merge_common(cfg, args)


def use_amp(cfg) -> None:
    """Switch the optimizer wrapper to mixed precision."""
    if get_device() == 'cpu':
        sys.exit('--amp needs a GPU and none was found: leave --amp out')
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        sys.exit(
            f'--amp cannot change optim_wrapper.type={kind!r}: set it to '
            "'AmpOptimWrapper' in the config, or leave --amp out"
        )
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def find_resume(resume: str, folder: str) -> str | None:
    """The checkpoint to continue from; None if 'auto' finds none in `folder`."""
    checkpoint = resume
    if resume == 'auto':
        if not osp.isfile(osp.join(folder, 'last_checkpoint')):
            return None
        checkpoint = find_latest_checkpoint(folder)
    require_file(checkpoint, 'checkpoint to resume from')
    return checkpoint


def train() -> None:
    args = parse_args()
    cfg = load_config(args.config)
    merge_args(cfg, args)
    runner = build_runner(cfg)
    if args.resume == 'auto' and not cfg.resume:
        runner.logger.info(
            f'--resume found no checkpoint in {cfg.work_dir}: training starts afresh'
        )
    for hook in runner.hooks:
        if isinstance(hook, PretrainCheckHook | PretrainedCheckHook):
            hook.check(runner)
    runner.train()


def main() -> None:
    train()
    leave_processes()  # here, where nothing refers to the runner any more


if __name__ == '__main__':
    main()
