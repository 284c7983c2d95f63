"""Evaluate a checkpoint on the test set of a config.

Example:
    python tools/test.py CONFIG CHECKPOINT --dump scores.pkl
"""

import argparse
import sys

from ..checkpoint import load_safely
from ..compat import leave_processes
from .common import (
    add_common_arguments,
    build_runner,
    load_config,
    merge_common,
    plain_errors,
    weights_file,
)
from .failures import one_line_failures


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Evaluate a skeleton model')
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path or address of the checkpoint')
    parser.add_argument(
        '--dump',
        metavar='FILE.pkl',
        help='also write all scores to this file, for fuse_streams.py and confusion.py',
    )
    add_common_arguments(parser)
    return parser.parse_args(argv)


def merge_args(cfg, args: argparse.Namespace) -> None:
    """Put the options into the config; one line ends the program if one can't be."""
    if cfg.get('test_dataloader') is None or cfg.get('test_evaluator') is None:
        sys.exit(
            f'{args.config} has nothing to test: it needs test_dataloader, '
            'test_evaluator and test_cfg'
        )
    if args.dump is not None:
        if not args.dump.endswith(('.pkl', '.pickle')):
            sys.exit(f'--dump {args.dump}: the name must end in .pkl or .pickle')
        metrics = cfg.test_evaluator
        metrics = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
        metrics.append(dict(type='DumpScores', out_file_path=args.dump))
        cfg.test_evaluator = metrics
    cfg.load_from = args.checkpoint
    cfg.resume = False
    merge_common(cfg, args)


def test() -> None:
    args = parse_args()
    cfg = load_config(args.config)
    args.checkpoint = weights_file(args.checkpoint)
    merge_args(cfg, args)
    with one_line_failures(cfg.work_dir), load_safely():
        runner = build_runner(cfg, evaluated=True)
        with plain_errors(runner):
            runner.test()


def main() -> None:
    test()
    leave_processes()  # here, where nothing refers to the runner any more


if __name__ == '__main__':
    main()
