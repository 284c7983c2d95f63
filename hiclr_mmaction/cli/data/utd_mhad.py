"""Convert the skeletons of UTD-MHAD (*_skeleton.mat) to a pose pickle.

Example:
    python tools/data/utd_mhad.py Skeleton data/skeleton/utd_mhad_3d.pkl
"""

from ...converters import UTDMHADConverter
from .common import add_max_frames, add_output_options, make_parser, run


def parse_args(argv=None):
    parser = make_parser(
        'Convert the skeletons of UTD-MHAD to a pose pickle.',
        'splits: xsub_train (odd subjects), xsub_val.',
    )
    parser.add_argument('folder', help='folder of aA_sS_tT_skeleton.mat files')
    add_max_frames(parser, default=0)
    add_output_options(parser)
    return parser.parse_args(argv)


def main() -> None:
    args = parse_args()
    run(lambda: UTDMHADConverter(args.folder, args.max_frames or None), args)


if __name__ == '__main__':
    main()
