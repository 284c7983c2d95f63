"""Convert the .skeleton files of NTU RGB+D 60 or 120 to a pose pickle.

Example:
    python tools/data/ntu.py nturgb+d_skeletons data/skeleton/ntu60_3d.pkl \
        --ignore NTU_RGBD_samples_with_missing_skeletons.txt
"""

from ...converters import NTUConverter
from ...converters.ntu import BODY_SELECTIONS
from .common import add_max_frames, add_output_options, make_parser, run


def main() -> None:
    parser = make_parser(
        'Convert the .skeleton files of NTU RGB+D to a pose pickle.',
        'splits: xsub_train, xsub_val, and xview_train, xview_val (60) or xset_train,\n'
        'xset_val (120).\n\n'
        'bodies: first-two takes the first two body ids in order of appearance, as the\n'
        'released HiCLR preprocessing does; most-motion drops false detections and\n'
        'takes the two persons who move most.',
    )
    parser.add_argument(
        'folder', nargs='+', help='folders with .skeleton files; subfolders count'
    )
    parser.add_argument(
        '--dataset',
        choices=['ntu60', 'ntu120'],
        default='ntu60',
        help='which actions and splits',
    )
    parser.add_argument(
        '--bodies',
        choices=BODY_SELECTIONS,
        default='first-two',
        help='which bodies of a clip are its persons',
    )
    add_max_frames(parser, default=300)
    add_output_options(parser)
    args = parser.parse_args()
    run(
        lambda: NTUConverter(
            args.folder, args.dataset, args.bodies, args.max_frames or None
        ),
        args,
    )
