"""Measure linear evaluation against one pass of the encoder over the same clips.

The pass is what a probe cannot do without: every clip of training and validation is
read and run through the encoder once. The probe is the whole of the training loop, its
checks, hooks, validations and checkpoints included. What is measured does not depend on
the weights, which are random here.

Examples:
    python tools/benchmark/probe.py --plain 1
    python tools/benchmark/probe.py configs/hiclr/hiclr_stgcn_msr_linear.py --plain 1
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from mmaction.registry import LOOPS
from mmengine.config import Config
from mmengine.runner import Runner
from rich.console import Console
from rich.table import Table

from hiclr_mmaction.cli.values import ConfigOptions
from hiclr_mmaction.engine.loops import LinearProbeLoop
from hiclr_mmaction.engine.loops.frozen_features import extract_features
from hiclr_mmaction.evaluation.protocol import find_config, read_config


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measure linear evaluation')
    parser.add_argument(
        'config',
        nargs='?',
        type=Path,
        help='config of a linear evaluation; default: the recipe of NTU-60 on synthetic '
        'motions',
    )
    parser.add_argument('--epochs', type=int, help="default: the config's")
    parser.add_argument(
        '--repeats', type=int, default=3, help='passes and probes, in turns'
    )
    parser.add_argument(
        '--plain',
        type=int,
        default=0,
        metavar='EPOCHS',
        help='also run the encoder in each of so many epochs, and extrapolate',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        default={},
        metavar='KEY=VALUE',
        help='settings of the config to replace',
    )
    parser.add_argument('--out', type=Path, help='JSON file for the figures')
    args = parser.parse_args(argv)
    if args.repeats < 1:
        sys.exit(f'--repeats {args.repeats}: at least 1 is needed')
    return args


def load_config(path: Path | None) -> Config:
    """The config, or that of NTU-60 with the synthetic motions in place of its files."""
    if path is not None:
        return read_config(path)
    cfg = read_config(find_config('hiclr_stgcn_ntu60_linear.py'))
    for split in ('train', 'val'):
        loader = cfg[f'{split}_dataloader']
        pipeline = loader.dataset.pipeline
        loader.dataset = dict(type='SyntheticSkeletons', split=split, pipeline=pipeline)
    return cfg


@LOOPS.register_module()
class TimedProbe(LinearProbeLoop):
    """The loop that tells how long it took, and how long one pass takes before."""

    def run(self):
        loaders = [self.dataloader, self.runner.val_loop.dataloader]
        self.recognizer.eval()
        self.clips = [len(loader.dataset) for loader in loaders]
        start = time.perf_counter()
        for loader in loaders:
            extract_features(self.recognizer, loader)
        self.pass_seconds = time.perf_counter() - start
        start = time.perf_counter()
        model = super().run()
        self.seconds = time.perf_counter() - start
        return model


def run(cfg: Config, **train_cfg) -> TimedProbe:
    """Train in a folder that is removed again."""
    cfg = cfg.copy()
    cfg.train_cfg = dict(cfg.train_cfg, type='TimedProbe', **train_cfg)
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = Runner.from_cfg(cfg)
        runner.train()
    return runner.train_loop


def measure(cfg: Config, repeats: int, plain_epochs: int) -> dict:
    """Medians of the times, seconds."""
    epochs = cfg.train_cfg.max_epochs
    probes = [run(cfg) for _ in range(repeats)]
    train, val = probes[0].clips
    one_pass = statistics.median(probe.pass_seconds for probe in probes)
    figures = dict(
        train_clips=train,
        val_clips=val,
        epochs=epochs,
        steps=probes[0].iter,
        device=str(next(probes[0].recognizer.parameters()).device),
        threads=torch.get_num_threads(),
        pass_s=one_pass,
        probe_s=statistics.median(probe.seconds for probe in probes),
        # Of each run for itself: the speed of the machine may change between them.
        ratio=statistics.median(probe.seconds / probe.pass_seconds for probe in probes),
    )
    if plain_epochs:
        plain = run(cfg, cache=False, max_epochs=plain_epochs)
        figures['plain_s'] = plain.seconds / plain_epochs * epochs
        figures['times_as_fast'] = figures['plain_s'] / figures['probe_s']
    return figures


def show(figures: dict) -> Table:
    """The figures as a table."""
    table = Table('linear evaluation', 'seconds', 'in passes')
    one_pass = figures['pass_s']
    clips = figures['train_clips'] + figures['val_clips']
    rows = {
        f'one pass over {clips} clips': one_pass,
        f'{figures["epochs"]} epochs on stored features': figures['probe_s'],
        'encoder run in every epoch (extrapolated)': figures.get('plain_s'),
    }
    for name, seconds in rows.items():
        if seconds is not None:
            ratio = figures['ratio'] if 'stored' in name else seconds / one_pass
            table.add_row(name, f'{seconds:.2f}', f'{ratio:.2f}')
    return table


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config)
    cfg.merge_from_dict(args.cfg_options)
    cfg.model.backbone.init_cfg = None
    cfg.log_level = 'ERROR'
    if args.epochs is not None:
        cfg.train_cfg.max_epochs = args.epochs
    figures = measure(cfg, args.repeats, args.plain)
    Console().print(show(figures))
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1) + '\n')


if __name__ == '__main__':
    main()
