"""Pre-train on the synthetic set in each precision, and compare the k-NN accuracy.

Each seed is trained once in each precision; the accuracies of the frozen features after
the last epoch are averaged over the seeds, for one seed alone differs by more than the
precisions do. The config's 40 epochs end on the way up, where a run that is late is far
behind: 120 tell more. float16 takes an hour and more for each seed on a CPU: name it to
have it there.

Example:
    python tools/benchmark/precision.py --seeds 0 1 2
"""

import argparse
from pathlib import Path

import torch
from _measure import compare_accuracies
from mmengine.config import Config

import hiclr_mmaction  # noqa: F401  registers the components

CONFIG = Path(__file__).parents[2] / 'configs' / 'hiclr_stgcn_synthetic.py'
WRAPPERS = dict(
    float32=dict(type='OptimWrapper'),
    bfloat16=dict(type='BFloat16OptimWrapper'),
    float16=dict(type='Float16OptimWrapper', loss_scale='dynamic'),
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--precisions',
        nargs='+',
        choices=WRAPPERS,
        help='default: all; without a GPU all but float16',
    )
    parser.add_argument('--epochs', type=int, default=120)
    parser.add_argument('--out', type=Path, help='JSON file for the figures')
    return parser.parse_args(argv)


def main() -> None:
    args = parse_args()
    precisions = args.precisions or [
        p for p in WRAPPERS if p != 'float16' or torch.cuda.is_available()
    ]

    def make_config(precision: str, seed: int) -> Config:
        cfg = Config.fromfile(CONFIG)
        cfg.optim_wrapper.update(WRAPPERS[precision])
        cfg.train_cfg.max_epochs = args.epochs
        return cfg

    compare_accuracies(make_config, precisions, args.seeds, args.out)


if __name__ == '__main__':
    main()
