"""Draw the confusion matrix of a classifier and list the most confused classes.

Example:
    python tools/test.py CONFIG CHECKPOINT --dump scores.pkl
    python tools/analysis/confusion.py scores.pkl --out confusion.png
"""

import argparse

from sklearn.metrics import confusion_matrix

from ...evaluation import read_scores
from ...visualization import draw_confusion
from .common import add_classes, one_line, print_confused, read_names, writable


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Draw a confusion matrix, and list the pairs of classes that are '
        'confused most'
    )
    parser.add_argument('scores', help='what tools/test.py --dump wrote')
    add_classes(parser)
    parser.add_argument('--out', default='confusion.png', help='the picture')
    parser.add_argument('--title', help='written above')
    parser.add_argument(
        '--top', type=int, default=10, metavar='N', help='pairs to list (default: 10)'
    )
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    writable(args.out)
    with one_line('error: '):
        dumped = read_scores(args.scores)
        classes = read_names(args.classes) or dumped.classes
        num_classes = dumped.scores.shape[1]
        matrix = confusion_matrix(
            dumped.labels, dumped.predicted, labels=range(num_classes)
        )
        draw_confusion(matrix, classes, args.title).savefig(args.out)
    names = classes or [str(c) for c in range(num_classes)]
    right = matrix.diagonal().sum()
    print(f'{right} of {matrix.sum()} clips are correct: {right / matrix.sum():.1%}')
    print_confused(matrix, names, args.top)
    print(f'drawn: {args.out}')
