"""Train for a long time in short steps, and see that memory and file handles stay flat.

A real run of the embedded default made small: data workers, validation, checkpoints and
logs are in it. The first fifth of the time is for warming up; of the rest, the last
third is held against the first. Linux only: the figures are those of /proc.

Example:
    python tools/benchmark/soak.py --minutes 60
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from _measure import proc_mb
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import hiclr_mmaction  # noqa: F401  registers the components

CONFIG = Path(__file__).parents[2] / 'configs' / 'hiclr_stgcn_synthetic.py'


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--workers', type=int, default=1, help='data workers')
    parser.add_argument(
        '--growth',
        type=float,
        default=0.03,
        help='part by which the memory may have grown (0.03)',
    )
    parser.add_argument('--out', type=Path, help='JSON file for the figures')
    return parser.parse_args(argv)


class Watch(Hook):
    """Looks at the run's processes after each epoch, and ends it when time is over.

    Attributes:
        rows (list[dict]): ``seconds``, ``step``, ``memory_mb`` (resident, the main
            process), ``workers_mb``, ``handles`` (of all), ``processes``.
    """

    priority = 'LOWEST'

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.start = time.monotonic()
        self.rows: list[dict] = []

    def before_train_epoch(self, runner) -> None:
        """Look, when the workers of the epoch before are there or gone."""
        workers = [child.pid for child in multiprocessing.active_children()]
        pids = [os.getpid(), *workers]
        passed = time.monotonic() - self.start
        self.rows.append(
            dict(
                seconds=round(passed, 1),
                step=runner.iter,
                memory_mb=proc_mb('VmRSS'),
                workers_mb=sum(proc_mb('VmRSS', pid=pid) for pid in workers),
                handles=sum(len(os.listdir(f'/proc/{pid}/fd')) for pid in pids),
                processes=len(pids),
            )
        )
        if passed > self.seconds:
            runner.train_loop.stop_training = True


def soak(minutes: float, workers: int, folder: str) -> list[dict]:
    """Train for some minutes; returns the rows of :class:`Watch`."""
    cfg = Config.fromfile(CONFIG)
    few = dict(actions=['wave', 'squat', 'push'], num_subjects=6, num_val_subjects=2)
    cfg.train_dataloader.update(
        batch_size=4, num_workers=workers, persistent_workers=workers > 0
    )
    cfg.train_dataloader.dataset.update(few)
    for dataset in cfg.val_dataloader.dataset.datasets:
        dataset.update(few)
    cfg.model.queue_size = 16
    cfg.model.backbone.update(num_stages=2, inflate_stages=[], down_stages=[2])
    cfg.train_cfg.update(max_epochs=10**9, val_interval=10)
    # The cosine would be 0 for ever, or never end.
    cfg.param_scheduler = None
    cfg.default_hooks.checkpoint.interval = 5
    cfg.work_dir = folder
    runner = Runner.from_cfg(cfg)
    watch = Watch(60 * minutes)
    runner.register_hook(watch)
    runner.train()
    return watch.rows


def judge(rows: list[dict], growth: float) -> list[str]:
    """What grew between the first and the last third after the warm-up."""
    rows = [row for row in rows if row['seconds'] >= 0.2 * rows[-1]['seconds']]
    third = max(1, len(rows) // 3)
    faults = []
    for name in ('memory_mb', 'workers_mb', 'handles', 'processes'):
        first = statistics.median(row[name] for row in rows[:third])
        last = statistics.median(row[name] for row in rows[-third:])
        print(f'{name:11} {first:9.1f} -> {last:9.1f}')
        allowed = first * (1 + growth) if name.endswith('_mb') else first
        if last > allowed:
            faults.append(f'{name} grew from {first:.1f} to {last:.1f}')
    return faults


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = soak(args.minutes, args.workers, folder)
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1))
    print(f'{rows[-1]["step"]} steps in {rows[-1]["seconds"] / 60:.1f} minutes')
    faults = judge(rows, args.growth)
    if faults:
        sys.exit('not flat: ' + '; '.join(faults))


if __name__ == '__main__':
    main()
