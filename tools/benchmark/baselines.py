"""Accuracy of the plain baselines on the data of a config, with all labels.

Example:
    python tools/benchmark/baselines.py configs/hiclr/hiclr_stgcn_msr.py
    python tools/benchmark/baselines.py configs/hiclr/hiclr_stgcn_own.py \\
        --cfg-options ann_file=data/kard_3d.pkl layout=openni15
"""

import argparse

from hiclr_mmaction.apis import featureless_clips
from hiclr_mmaction.cli.analysis.common import add_config, read_config
from hiclr_mmaction.evaluation.baselines import BASELINES
from hiclr_mmaction.evaluation.label_curve import (
    DEFAULT_BASELINES,
    baseline_accuracies,
    over_seeds,
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    add_config(parser)
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2])
    parser.add_argument(
        '--baselines', nargs='+', choices=BASELINES, default=DEFAULT_BASELINES
    )
    args = parser.parse_args()
    cfg = read_config(args)
    train, test = featureless_clips(cfg)
    print(
        f'{args.config}: {len(train.labels)} training and {len(test.labels)} test clips'
    )
    cells = {}
    for seed in args.seeds:
        found = baseline_accuracies(train, test, 1.0, seed, args.baselines)
        cells |= {(name, 1.0, seed): value for name, value in found.items()}
    for name, row in over_seeds(cells).items():
        print(f'{name}: {row[1.0]} % (seeds {", ".join(map(str, args.seeds))})')


if __name__ == '__main__':
    main()
