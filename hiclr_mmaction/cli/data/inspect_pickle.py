"""Summarise a pose pickle, check it, and draw one of its clips.

Example:
    python tools/data/inspect.py data/skeleton/ntu60_3d.pkl --draw clip.png
"""

import sys

import numpy as np
import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...annotations.clip_checks import join_score
from ...annotations.inspection import inspect_pickle
from ...skeleton import measured_joints
from ...skeleton.mapping import map_joints
from ...visualization import draw_clip
from ..common import one_line
from ..values import parse_layout
from .common import make_parser


def parse_args(argv=None):
    parser = make_parser(
        'Summarise a pose pickle, check it, and draw one of its clips. '
        'The exit status is 1 if it has errors.'
    )
    parser.add_argument('file', help='the pose pickle')
    parser.add_argument(
        '--layout',
        type=parse_layout,
        help='its skeleton: a name such as nturgb+d, or a dict as in a config; without '
        'it, the one in the file, or the known one with as many joints',
    )
    parser.add_argument('--draw', metavar='PNG', help='draw a clip to this picture')
    parser.add_argument(
        '--clip', metavar='NAME', help='the clip to draw; without it, the first'
    )
    parser.add_argument(
        '--to-layout',
        type=parse_layout,
        metavar='LAYOUT',
        help='draw the clip with the joints of this skeleton too, as --to-layout of the '
        'converters stores it',
    )
    parser.add_argument(
        '--frames', type=int, default=8, metavar='N', help='frames to draw'
    )
    return parser.parse_args(argv)


def show(inspection, console):
    """Print facts and findings."""
    table = Table(
        show_header=False, title=escape(inspection.path), title_justify='left'
    )
    for name, value in inspection.facts.items():
        table.add_row(escape(name), escape(value))
    console.print(table)
    for finding in sorted(inspection.findings, key=lambda f: f.severity):
        colour = 'red' if finding.severity == 'error' else 'yellow'
        times = f' ({finding.count:,} times)' if finding.count > 1 else ''
        console.print(
            f'[{colour}]{finding.severity}[/]: {finding.kind}{times}: '
            f'{escape(finding.message)}',
            soft_wrap=True,
        )
    errors = len(inspection.errors)
    console.print(f'[red]{errors} kinds of error[/]' if errors else 'no error found')


def draw(inspection, path, name, num_frames, to_layout=None):
    """Draw a clip of the file, and below it the clip in another layout."""
    clips = inspection.annotations
    if name is not None:
        clips = [c for c in clips if name in (c.get('frame_dir'), c.get('filename'))]
    if not clips or inspection.layout is None:
        what = f'clip {name!r}' if inspection.layout else 'layout'
        raise ValueError(f'--draw: there is no {what}; name one that the file has.')
    clip = clips[0]
    joined = dict(clip)
    join_score(joined, inspection.layout)
    keypoint = joined['keypoint']
    title = f'{clip.get("frame_dir", "")}  label {clip.get("label", "none")}'
    below = []
    if to_layout is not None:
        x = torch.from_numpy(np.asarray(keypoint, np.float32))
        measured = measured_joints(x, inspection.layout)
        mapped = map_joints(x, inspection.layout, to_layout, measured)
        below = [(mapped.numpy(), to_layout)]
    draw_clip(keypoint, path, inspection.layout, num_frames, title=title, below=below)


def main(argv=None):
    args = parse_args(argv)
    if args.to_layout is not None and not args.draw:
        sys.exit('error: --to-layout draws a clip; name the picture with --draw PNG.')
    console = Console()
    with one_line('error: '):
        inspection = inspect_pickle(args.file, args.layout)
        show(inspection, console)
        if args.draw:
            draw(inspection, args.draw, args.clip, args.frames, args.to_layout)
            console.print(f'drawn: {escape(args.draw)}', soft_wrap=True)
    sys.exit(1 if inspection.errors else 0)
