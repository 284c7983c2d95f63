"""Fuse the scores of several streams with fixed weights.

Example:
    python tools/test.py CONFIG CHECKPOINT --dump joint.pkl       # and for each stream
    python tools/analysis/fuse_streams.py joint.pkl bone.pkl motion.pkl --weights 2 2 1
"""

import argparse
import json
import sys
from pathlib import Path

from sklearn.metrics import confusion_matrix

from ...atomic_write import write_text
from ...evaluation import accuracies, fuse_scores, read_scores
from ...visualization import draw_confusion
from ..tables import print_table
from .common import (
    add_classes,
    one_line,
    print_confused,
    read_names,
    require_file,
    writable,
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Fuse the scores of several streams with fixed weights'
    )
    parser.add_argument(
        'scores', nargs='+', help='what tools/test.py --dump wrote, one file per stream'
    )
    parser.add_argument(
        '--weights',
        nargs='+',
        type=float,
        metavar='W',
        help='one per file (default: equal). Weights chosen by the accuracy on '
        'these clips give a biased result',
    )
    add_classes(parser)
    parser.add_argument(
        '--picture', metavar='FILE.png', help='draw the confusion matrix of the fusion'
    )
    parser.add_argument(
        '--out',
        metavar='FILE.json',
        help='write accuracies, those of each class, and the confusion matrix',
    )
    parser.add_argument(
        '--top',
        type=int,
        default=5,
        metavar='N',
        help='pairs of confused classes to list (default: %(default)s)',
    )
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    for path in args.scores:
        require_file(path, 'score file')
    if len(set(args.scores)) < len(args.scores):
        sys.exit(f'error: a score file is named twice: {" ".join(args.scores)}')
    for path in (args.picture, args.out):
        if path is not None:
            writable(path)
    with one_line('error: '):
        streams = {path: read_scores(path) for path in args.scores}
        fused = fuse_scores(streams, args.weights)
        first = next(iter(streams.values()))
        labels = first.labels
        num_classes = fused.shape[1]
        tables = {
            name: confusion_matrix(labels, scores.argmax(1), labels=range(num_classes))
            for name, scores in [
                *((name, stream.scores) for name, stream in streams.items()),
                ('fused', fused),
            ]
        }
        classes = read_names(args.classes) or first.classes
        if args.picture is not None:
            title = ' + '.join(short_names(args.scores))
            draw_confusion(tables['fused'], classes, title).savefig(args.picture)

    weights = args.weights or [1.0] * len(streams)
    results = {name: accuracies(s.scores, labels) for name, s in streams.items()}
    results['fused'] = accuracies(fused, labels)
    shown = [*(f'{w:g}' for w in weights), '']
    print_table(
        ('scores', 'weight', 'top-1', 'top-5', 'mean class'),
        [
            (
                name,
                weight,
                *(
                    '' if key == 'top5' and num_classes <= 5 else f'{100 * value:.2f}'
                    for key, value in values.items()
                ),
            )
            for (name, values), weight in zip(results.items(), shown, strict=True)
        ],
        f'{len(labels)} clips, accuracy in %',
    )
    names = classes or [str(c) for c in range(num_classes)]
    print_confused(tables['fused'], names, args.top)
    if args.out is not None:
        content = dict(
            files=args.scores,
            weights=weights,
            num_clips=len(labels),
            classes=names,
            results={
                name: dict(values, class_accuracy=class_accuracy(tables[name]))
                for name, values in results.items()
            },
            confusion_matrix=tables['fused'].tolist(),
        )
        write_text(json.dumps(content, indent=1), args.out)


def short_names(paths: list[str]) -> list[str]:
    """The last part of the paths that differs between all, e.g. a folder."""
    parts = (reversed(Path(path).with_suffix('').parts) for path in paths)
    for names in zip(*parts, strict=False):
        if len(set(names)) == len(paths):
            return list(names)
    return paths


def class_accuracy(matrix) -> list[float | None]:
    """Accuracy of each class; None without clips."""
    return [
        None if row.sum() == 0 else float(row[i] / row.sum())
        for i, row in enumerate(matrix)
    ]
