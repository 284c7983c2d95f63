"""Convert a folder of BVH motion capture to a pose pickle.

Example:
    python tools/data/bvh.py mocap data/mocap.pkl --fps 30 --labels labels.csv
"""

from ...converters import BVHConverter
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
        'Convert a folder of BVH motion capture to a pose pickle.',
        "Without --layout the skeleton is the first file's own; it is in the result and\n"
        'in OUT.report.json (settings.layout) as a dict, to be put in a config.',
    )
    add_folder_options(parser, 'BVH files')
    parser.add_argument(
        '--layout',
        type=parse_layout,
        help='map the clips to this skeleton (kinect20, nturgb+d, ...): joints of the same '
        'name, or computed from others',
    )
    parser.add_argument(
        '--fps', type=float, help='frames per second to keep, where the files have more'
    )
    add_max_frames(parser, default=0)
    add_output_options(parser)
    args = parser.parse_args()
    run(
        lambda: BVHConverter(
            args.folder,
            args.labels,
            args.val_subjects,
            args.layout,
            fps=args.fps,
            max_frames=args.max_frames or None,
        ),
        args,
    )
