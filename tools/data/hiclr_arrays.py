"""Convert the released arrays of CrosSCLR, AimCLR and HiCLR to a pose pickle, or back.

Example:
    python tools/data/hiclr_arrays.py to-pickle NTU60_frame50/xsub data/ntu60_xsub.pkl
    python tools/data/hiclr_arrays.py to-arrays data/ntu60_xsub.pkl arrays/xsub
"""

import sys
from pathlib import Path

from _common import add_output_options, make_parser, run

from hiclr_mmaction.converters import HiCLRArrayConverter, write_hiclr_arrays


def parse_args(argv=None):
    parser = make_parser(
        'Convert the arrays of CrosSCLR, AimCLR and HiCLR to a pose pickle, or back.',
        'The arrays of a split are train_position.npy, (N, 3, T, V, M), and\n'
        'train_label.pkl, a pair of names and labels. Arrays that are aligned (frame50)\n'
        'become a pickle that says so. HiCLRNpyDataset reads the arrays without\n'
        'converting them.',
    )
    ways = parser.add_subparsers(dest='way', required=True)
    to_pickle = ways.add_parser('to-pickle', help='arrays to a pose pickle')
    to_pickle.add_argument('folder', help='where the .npy and .pkl files are')
    to_pickle.add_argument(
        '--layout', default='nturgb+d-stgcn', help='skeleton (default: %(default)s)'
    )
    add_output_options(to_pickle)
    to_arrays = ways.add_parser('to-arrays', help='a pose pickle to arrays')
    to_arrays.add_argument('pickle', help='the pose pickle')
    to_arrays.add_argument(
        'folder',
        type=Path,
        help='where SPLIT_position.npy and SPLIT_label.pkl of each split are written; '
        'the folder is made',
    )
    to_arrays.add_argument(
        '--overwrite', action='store_true', help='replace files that exist'
    )
    return parser.parse_args(argv)


def main() -> None:
    args = parse_args()
    if args.way == 'to-pickle':
        run(lambda: HiCLRArrayConverter(args.folder, args.layout), args)
        return
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        shapes = write_hiclr_arrays(args.pickle, args.folder, args.overwrite)
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    for split, shape in shapes.items():
        print(f'{args.folder}/{split}_position.npy {shape}')


if __name__ == '__main__':
    main()
