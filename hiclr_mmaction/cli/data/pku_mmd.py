"""Cut the recordings of PKU-MMD I or II into a pose pickle of action clips.

Example:
    python tools/data/pku_mmd.py Skeleton Label data/skeleton/pku1_3d.pkl \
        --split xsub=cross-subject.txt --split xview=cross-view.txt
"""

import argparse

from ...converters import PKUMMDConverter
from .common import add_max_frames, add_output_options, make_parser, run


def split_file(text: str) -> tuple[str, str]:
    """``NAME=FILE`` of ``--split``."""
    name, equals, path = text.partition('=')
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=FILE')
    return name, path


def main() -> None:
    parser = make_parser(
        'Cut the recordings of PKU-MMD I or II into a pose pickle of action clips.',
        'A label line class,start,end,confidence becomes a clip of the lines start to\n'
        'end - 1 of the recording, counted from 0; label 0 is class 1.',
    )
    parser.add_argument(
        'skeletons', help='folder of the recordings, such as 0002-L.txt'
    )
    parser.add_argument('labels', help='folder of the label files, of the same names')
    parser.add_argument(
        '--split',
        action='append',
        default=[],
        type=split_file,
        metavar='NAME=FILE',
        help="a protocol and the data set's own list for it, such as "
        'xsub=cross-subject.txt; gives the splits NAME_train and NAME_val. May be given '
        'more than once; without it there is one split, all',
    )
    add_max_frames(parser, default=0)
    add_output_options(parser)
    args = parser.parse_args()
    run(
        lambda: PKUMMDConverter(
            args.skeletons, args.labels, dict(args.split), args.max_frames or None
        ),
        args,
    )
