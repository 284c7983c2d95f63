"""Draw the curves of one or several runs.

Example:
    python tools/analysis/plot_log.py work_dirs/first work_dirs/second
    python tools/analysis/plot_log.py RUN --keys 'loss*' knn/k1 --out curves.png
"""

import argparse
from pathlib import Path

from ...visualization import DEFAULT_KEYS, draw_curves, read_run
from .common import one_line, panel_names, writable


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Draw the curves of runs')
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='RUN',
        help='work folder of a run, or a scalars.json of it',
    )
    parser.add_argument(
        '--keys',
        nargs='+',
        default=DEFAULT_KEYS,
        metavar='KEY',
        help='scalars to draw; * stands for anything (default: '
        f'{" ".join(DEFAULT_KEYS)})',
    )
    parser.add_argument(
        '--names', nargs='+', metavar='NAME', help="of the runs (default: the folders')"
    )
    parser.add_argument('--out', default='curves.png', help='the picture')
    parser.add_argument('--title', help='written above')
    return parser.parse_args(argv)


def name_runs(args: argparse.Namespace) -> list[str]:
    """A name for each run, and no name twice."""
    paths = [Path(run).resolve() for run in args.runs]
    folders = [path.name for path in paths]
    if len(set(folders)) < len(folders):
        folders = [str(path) for path in paths]
    return panel_names(args.names or folders, len(args.runs), 'runs')


def main(argv=None) -> None:
    args = parse_args(argv)
    writable(args.out)
    names = name_runs(args)
    with one_line('error: '):
        runs = {name: read_run(run) for name, run in zip(names, args.runs, strict=True)}
        draw_curves(runs, args.keys, args.title).savefig(args.out, dpi=120)
    print(f'drawn: {args.out}')
