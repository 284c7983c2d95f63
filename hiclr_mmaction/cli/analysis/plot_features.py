"""Draw the features of a config's clips in 2-D, coloured by class.

Example:
    python tools/analysis/plot_features.py CONFIG CHECKPOINT
    python tools/analysis/plot_features.py CONFIG none CHECKPOINT --method umap
"""

import argparse
import sys
from pathlib import Path

import torch

from ...apis import (
    build_dataset,
    class_names,
    dataset_features,
    init_encoder,
)
from ...visualization import METHODS, draw_features, embed_features
from ..values import add_device
from .common import (
    add_classes,
    add_config,
    panel_names,
    read_config,
    read_names,
    weights_file,
    writable,
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Draw the features of the frozen encoder by t-SNE or UMAP, coloured '
        'by class; of several checkpoints side by side'
    )
    add_config(parser)
    parser.add_argument(
        'checkpoints',
        nargs='+',
        metavar='CHECKPOINT',
        help='with the weights; none: the encoder before training',
    )
    parser.add_argument(
        '--method', choices=METHODS, default='tsne', help='default: tsne'
    )
    parser.add_argument(
        '--split',
        choices=['train', 'val'],
        default='val',
        help='the clips that are evaluated (val, the default), or those of the bank',
    )
    parser.add_argument(
        '--max-clips', type=int, default=1000, metavar='N',
        help='draw that many, taken at random (default: 1000)',
    )  # fmt: skip
    parser.add_argument('--seed', type=int, default=0, help='of all draws')
    add_device(parser)
    parser.add_argument('--names', nargs='+', metavar='NAME', help='of the panels')
    add_classes(parser)
    parser.add_argument('--out', default='features.png', help='the picture')
    parser.add_argument('--title', help='written above')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    cfg = read_config(args)
    writable(args.out)
    files = [
        path if path == 'none' else weights_file(path) for path in args.checkpoints
    ]
    names = args.names or [
        'before training' if path == 'none' else Path(path).stem
        for path in args.checkpoints
    ]
    panel_names(names, len(args.checkpoints), 'panels')
    try:
        dataset = build_dataset(cfg, args.split)
        points = {}
        for name, path in zip(names, files, strict=True):
            torch.manual_seed(args.seed)  # of an encoder that has no checkpoint
            encoder = init_encoder(cfg, None if path == 'none' else path, args.device)
            found = dataset_features(encoder, dataset, args.max_clips, args.seed)
            points[name] = embed_features(found.features, args.method, args.seed)
        classes = read_names(args.classes) or class_names(dataset)
        axis = METHODS[args.method]
        figure = draw_features(points, found.labels, classes, args.title, axis=axis)
        figure.savefig(args.out, dpi=120)
    except (ImportError, ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    print(f'{len(found.labels)} clips drawn: {args.out}')
