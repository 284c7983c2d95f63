"""Convert a folder of CSV, NPY or JSON files, one a clip, to a pose pickle.

Example:
    python tools/data/own.py recordings data/mine.pkl --layout kinect20 \
        --labels labels.csv --val-subjects 3 7
"""

from ...converters import CustomConverter
from ...converters import custom as own
from ..values import parse_layout
from .common import (
    add_folder_options,
    add_max_frames,
    add_output_options,
    make_parser,
    run,
)


def parse_args(argv=None):
    parser = make_parser(
        'Convert a folder of CSV, NPY or JSON files, one a clip, to a pose pickle.',
        own.__doc__.partition('\n\n')[2],
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
        help='of the picture, where x and y are parts of it (0 to 1), as MediaPipe '
        'gives them',
    )
    parser.add_argument(
        '--persons',
        type=int,
        default=2,
        metavar='N',
        help='persons of a clip to keep (of JSON files) and to align',
    )
    add_max_frames(parser, default=0)
    add_output_options(parser)
    return parser.parse_args(argv)


def main() -> None:
    args = parse_args()
    run(
        lambda: CustomConverter(
            args.folder,
            args.labels,
            args.val_subjects,
            args.layout,
            args.image_size,
            args.persons,
            args.max_frames or None,
        ),
        args,
    )


if __name__ == '__main__':
    main()
