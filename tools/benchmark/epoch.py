"""Measure an epoch at NTU-60's size, with synthetic clips: training, and waiting for data.

The loader, the preprocessor and the step are those of a config, run by mmengine's loop;
only the data set is made up. The projection to the whole training leaves out the start
of the epoch.

Example:
    python tools/benchmark/epoch.py --scale 0.002 --batch-size 8
"""

import argparse
import tempfile
import time
from pathlib import Path

from _measure import add_common_arguments, finish, trace
from loader import make_pickle
from mmengine.config import Config
from mmengine.runner import Runner

import hiclr_mmaction  # noqa: F401
from hiclr_mmaction.evaluation.protocol import find_config, read_config

NTU60_CLIPS = 40091  # cross-subject, training


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measure an epoch of pre-training')
    parser.add_argument(
        '--config',
        nargs='+',
        default=['hiclr_stgcn_ntu60.py', 'hiclr_stgcn_ntu60_fast.py'],
        help='one row each',
    )
    parser.add_argument('--scale', type=float, default=1.0, help='part of the 40,091')
    parser.add_argument('--batch-size', type=int, help="by default the config's")
    parser.add_argument('--workers', type=int, help="by default the config's")
    add_common_arguments(parser)
    args = parser.parse_args(argv)
    if not 0 < args.scale <= 1:
        parser.error(f'--scale={args.scale} is not above 0 and at most 1')
    return args


def epoch_config(
    name: str, ann_file: Path, work_dir: Path, args: argparse.Namespace
) -> Config:
    """A config that trains for one epoch on the synthetic clips and writes nothing."""
    cfg = read_config(find_config(name) or name)
    dataset = cfg.train_dataloader.dataset
    dataset = dataset.get('dataset', dataset)  # ResidentClips holds another
    # The clips are aligned already.
    pipeline = [t for t in dataset.pipeline if t['type'] != 'SkeletonAlign']
    dataset.update(ann_file=str(ann_file), split='train', pipeline=pipeline)
    if args.batch_size:
        cfg.train_dataloader.batch_size = args.batch_size
    if args.workers is not None and cfg.train_dataloader.num_workers:
        cfg.train_dataloader.update(
            num_workers=args.workers, persistent_workers=args.workers > 0
        )
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
    for part in ('val', 'test'):
        for setting in ('dataloader', 'cfg', 'evaluator'):
            cfg[f'{part}_{setting}'] = None
    cfg.custom_hooks = [h for h in cfg.custom_hooks if h['type'] == 'AccelerationHook']
    cfg.default_hooks.checkpoint = None
    cfg.log_level = 'WARNING'
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = f'{Path(name).stem}_{work_dir.name}'
    return cfg


def measure(cfg: Config, clips: int, max_epochs: int) -> dict[str, float]:
    """Train for one epoch; the times of its steps are those of mmengine's log."""
    start = time.perf_counter()
    runner = Runner.from_cfg(cfg)
    runner.train()
    total = time.perf_counter() - start
    scalars = runner.message_hub.log_scalars
    # Without the first step, in which workers start and kernels are compiled.
    steps, waits = (scalars[f'train/{k}'].data[0][1:] for k in ('time', 'data_time'))
    batch = cfg.train_dataloader.batch_size
    epoch = steps.mean() * (NTU60_CLIPS // batch)
    return dict(
        clips=clips,
        start_s=total - steps.sum(),
        samples_per_s=batch / steps.mean(),
        waiting_for_data=waits.sum() / steps.sum(),
        epoch_of_ntu60_s=epoch,
        training_of_ntu60_h=epoch * max_epochs / 3600,
    )


def main(argv=None) -> None:
    args = parse_args(argv)
    clips = round(NTU60_CLIPS * args.scale)
    figures = {}
    with tempfile.TemporaryDirectory() as folder, trace(args.profile):
        ann_file = make_pickle(Path(folder), clips, frames=50)
        for name in args.config:
            cfg = epoch_config(name, ann_file, Path(folder), args)
            batch = cfg.train_dataloader.batch_size
            if clips < 2 * batch:
                raise SystemExit(
                    f'--scale={args.scale} makes {clips} clips, fewer than two batches '
                    f'of {batch}; make it larger, or --batch-size smaller'
                )
            max_epochs = read_config(find_config(name) or name).train_cfg.max_epochs
            figures[name] = measure(cfg, clips, max_epochs)
    settings = dict(scale=args.scale, batch_size=args.batch_size, workers=args.workers)
    finish(args, settings, figures, 'An epoch of pre-training')


if __name__ == '__main__':
    main()
