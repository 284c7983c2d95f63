"""Convert the text files of MSR-Action3D to a pose pickle.

Example:
    python tools/data/msr_action3d.py MSRAction3DSkeletonReal3D data/msr_action3d_3d.pkl
"""

from ...converters import MSRAction3DConverter
from .common import add_max_frames, add_output_options, make_parser, run


def parse_args(argv=None):
    parser = make_parser(
        'Convert the text files of MSR-Action3D to a pose pickle.',
        'splits: xsub_train (odd subjects), xsub_val, and the same of the subsets as1,\n'
        'as2 and as3, with labels of the whole set. Name the clips that the authors\n'
        'leave out by --ignore.',
    )
    parser.add_argument('folder', help='folder of aAA_sSS_eEE_skeleton3D.txt files')
    add_max_frames(parser, default=0)
    add_output_options(parser)
    return parser.parse_args(argv)


def main() -> None:
    args = parse_args()
    run(lambda: MSRAction3DConverter(args.folder, args.max_frames or None), args)


if __name__ == '__main__':
    main()
