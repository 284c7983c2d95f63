"""Convert a folder of CSV, NPY or JSON files, one per clip, to a pose pickle.

Example:
    python tools/data/own.py recordings data/mine.pkl --layout kinect20 \
        --labels labels.csv --val-subjects 3 7
"""

from ...converters import CustomConverter
from ...converters.forms import forms_summary
from ..values import parse_layout
from .common import (
    add_folder_options,
    add_max_frames,
    add_output_options,
    make_parser,
    run,
)


def main() -> None:
    parser = make_parser(
        'Convert a folder of CSV, NPY or JSON files, one per clip, to a pose pickle.',
        f'What is read:\n{forms_summary()}',
    )
    add_folder_options(parser, 'CSV, NPY or JSON files')
    parser.add_argument(
        '--layout',
        required=True,
        type=parse_layout,
        help='the skeleton: nturgb+d, kinect20, coco, openpose, mediapipe, ..., or a '
        'dict as in a config',
    )
    parser.add_argument(
        '--image-size',
        nargs=2,
        type=float,
        metavar=('WIDTH', 'HEIGHT'),
        help='of the image, if x and y are fractions of it (0 to 1), as MediaPipe '
        'gives them',
    )
    parser.add_argument(
        '--persons',
        type=int,
        default=2,
        metavar='N',
        help='persons of a clip to keep, those with the most score, and to align',
    )
    parser.add_argument(
        '--axes',
        help='axes of NPY files in their order, such as TMVC: persons M, frames T, joints '
        'V, coordinates C. Without it: TVC or MTVC',
    )
    parser.add_argument(
        '--channels',
        help='numbers of a joint in their order, where the files do not name them: x, y, z '
        'and the score s; yxs for MoveNet. Without it: xy, xys or xyzs in 2-D, xyz or '
        'xyzs in 3-D',
    )
    parser.add_argument(
        '--ignore-columns',
        nargs='+',
        default=[],
        metavar='NAME',
        help='columns of CSV files that are not read',
    )
    parser.add_argument(
        '--refuse-missing',
        action='store_true',
        help='leave out clips in which joints are missing; without it they are stored '
        'as missing, and filled when they are read',
    )
    add_max_frames(parser, default=0)
    add_output_options(parser)
    args = parser.parse_args()
    run(
        lambda: CustomConverter(
            args.folder,
            args.labels,
            args.val_subjects,
            args.layout,
            args.max_frames or None,
            num_person=args.persons,
            image_size=args.image_size,
            axes=args.axes,
            channels=args.channels,
            ignore_columns=args.ignore_columns,
            refuse_missing=args.refuse_missing,
        ),
        args,
    )
