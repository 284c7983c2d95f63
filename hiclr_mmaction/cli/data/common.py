"""Options and exit of all converters."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ...converters import MappedConverter, Report, SkeletonConverter, convert
from ...skeleton.align import MAX_GAP, UNTRACKED
from ...skeleton.orientation import UPS
from ..values import parse_layout


def make_parser(description: str, epilog: str | None = None) -> argparse.ArgumentParser:
    """A parser whose help keeps the lines of `epilog` and shows the defaults."""

    class Help(argparse.RawDescriptionHelpFormatter):
        def _get_help_string(self, action):
            text = action.help or ''
            shown = action.option_strings and action.default not in (None, False, [])
            if shown and action.default is not argparse.SUPPRESS:
                text += ' (default: %(default)s)'
            return text

    return argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=Help
    )


def add_output_options(parser: argparse.ArgumentParser, align: bool = True) -> None:
    """Add the result and the options of :func:`convert`.

    ``align`` is false for converters whose clips may be aligned already.
    """
    parser.add_argument(
        'out',
        type=Path,
        help='the pose pickle to write, such as data/skeleton/ntu60_3d.pkl; its folder '
        'is made. A summary goes to OUT.report.json',
    )
    group = parser.add_argument_group('options of all converters')
    if align:
        group.add_argument(
            '--align',
            type=int,
            metavar='FRAMES',
            help='store clips aligned and resampled to this many frames (50 as in '
            'HiCLR); the pipeline of the config then needs no SkeletonAlign. Default: raw '
            'clips',
        )
        group.add_argument(
            '--untracked',
            choices=UNTRACKED,
            help='frames without persons, and lost persons and joints: drop and '
            'interpolate them in alignment, refuse such clips, or align as in the '
            'released preprocessing of HiCLR. Default: drop; for NTU RGB+D and '
            'PKU-MMD: released',
        )
        group.add_argument(
            '--max-gap',
            type=int,
            metavar='FRAMES',
            help='persons lost for up to this many frames are interpolated, by '
            f'--untracked drop. Default: {MAX_GAP}',
        )
        group.add_argument(
            '--to-layout',
            type=parse_layout,
            metavar='LAYOUT',
            help='store clips with the joints of this skeleton (kinect20, coco, ...); '
            'missing joints are computed from others',
        )
        group.add_argument(
            '--up',
            choices=UPS,
            help='up axis of the files (--up=-y); the result has y up. Default: known from '
            'the format, or estimated from heads and feet',
        )
        group.add_argument(
            '--scale',
            type=float,
            metavar='METRES',
            help='metres per unit of the files, such as 0.001. Default: known from the '
            'format, or estimated from the height of persons',
        )
    group.add_argument(
        '--ignore',
        type=Path,
        metavar='LIST',
        help='text file with the names of samples to skip, one per line; other lines '
        'are ignored',
    )
    group.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='number of processes (default: one per core)',
    )
    group.add_argument(
        '--strict',
        action='store_true',
        help='stop at the first unusable clip, instead of skipping it and reporting it '
        'in the summary',
    )
    group.add_argument(
        '--allow-empty',
        action='store_true',
        help='leave out splits without a clip, instead of ending with an error',
    )
    group.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it exists'
    )


def add_max_frames(parser: argparse.ArgumentParser, default: int) -> None:
    """Add ``--max-frames``; 0: no limit."""
    parser.add_argument(
        '--max-frames',
        type=int,
        default=default,
        metavar='N',
        help='skip clips of more frames; 0: no limit',
    )


def run(
    make_converter: Callable[[], SkeletonConverter], args: argparse.Namespace
) -> Report:
    """Convert, or end the program with a one-line error, also of making the converter."""
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        converter = make_converter()
        if getattr(args, 'to_layout', None):
            converter = MappedConverter(converter, args.to_layout)
        if getattr(args, 'untracked', None):
            converter.untracked = args.untracked
        if getattr(args, 'max_gap', None) is not None:
            if args.align is None or converter.untracked != 'drop':
                raise ValueError(
                    f'--max-gap {args.max_gap} has no effect: it is for clips stored by '
                    '--align with --untracked drop; add them, or leave it out.'
                )
            converter.max_gap = args.max_gap
        return convert(
            converter,
            args.out,
            workers=args.workers,
            overwrite=args.overwrite,
            strict=args.strict,
            allow_empty=args.allow_empty,
            align=getattr(args, 'align', None),
            up=getattr(args, 'up', None),
            scale=getattr(args, 'scale', None),
            ignore=read_ignore_list(args.ignore) if args.ignore else (),
        )
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')


def read_ignore_list(path: Path) -> set[str]:
    """The names in a list of samples; a file ending such as ``.skeleton`` is dropped."""
    lines = path.read_text(encoding='utf-8-sig').split()
    return {line.removesuffix('.skeleton').removesuffix('.txt') for line in lines}


def add_folder_options(parser: argparse.ArgumentParser, files: str) -> None:
    """Add the folder, ``--labels`` and ``--val-subjects``."""
    parser.add_argument('folder', help=f'folder of {files}; subfolders count')
    parser.add_argument(
        '--labels',
        metavar='CSV',
        help='table with the columns clip, label and if wanted subject, split; without '
        'it clips have no labels, which pre-training does not need',
    )
    parser.add_argument(
        '--val-subjects',
        nargs='+',
        default=[],
        metavar='SUBJECT',
        help='subjects to evaluate on: makes the splits xsub_train and xsub_val',
    )
