"""Convert the arrays of HiCLR, 2s-AGCN or CTR-GCN to a pose pickle, or back.

Example:
    python tools/data/hiclr_arrays.py to-pickle NTU60_frame50/xsub data/ntu60_xsub.pkl
    python tools/data/hiclr_arrays.py to-arrays data/ntu60_xsub.pkl arrays/xsub
    python tools/data/hiclr_arrays.py to-pickle NTU60_CS.npz data/ntu60_xsub.pkl
"""

from pathlib import Path

from ...converters import (
    CTRGCNConverter,
    HiCLRArrayConverter,
    write_ctrgcn_arrays,
    write_hiclr_arrays,
)
from ..common import one_line
from .common import add_output_options, make_parser, run


def main() -> None:
    parser = make_parser(
        'Convert the arrays of HiCLR, 2s-AGCN or CTR-GCN to a pose pickle, or back.',
        'HiCLR, AimCLR, CrosSCLR: the arrays of a split are train_position.npy,\n'
        '(N, 3, T, V, M), and train_label.pkl, a pair of names and labels. Arrays that\n'
        'are aligned (frame50) become a pickle that says so. HiCLRNpyDataset reads the\n'
        'arrays without converting them. 2s-AGCN: train_data_joint.npy likewise.\n'
        'CTR-GCN: an .npz with x_train, y_train, x_test, y_test.',
    )
    ways = parser.add_subparsers(dest='way', required=True)
    to_pickle = ways.add_parser('to-pickle', help='arrays to a pose pickle')
    to_pickle.add_argument(
        'arrays', type=Path, help='folder of .npy and .pkl files, or an .npz'
    )
    to_pickle.add_argument(
        '--layout', default='nturgb+d-stgcn', help='skeleton (default: %(default)s)'
    )
    add_output_options(to_pickle)
    to_arrays = ways.add_parser('to-arrays', help='a pose pickle to arrays')
    to_arrays.add_argument('pickle', help='the pose pickle')
    to_arrays.add_argument(
        'arrays',
        type=Path,
        help='folder for SPLIT_position.npy and SPLIT_label.pkl of each split, which is '
        'made; or an .npz, whose name chooses the protocol (NTU60_CS.npz: xsub)',
    )
    to_arrays.add_argument(
        '--overwrite', action='store_true', help='replace files that exist'
    )
    args = parser.parse_args()
    npz = args.arrays.suffix == '.npz'
    if args.way == 'to-pickle':
        converter = CTRGCNConverter if npz else HiCLRArrayConverter
        run(lambda: converter(args.arrays, args.layout), args)
        return
    folder = args.arrays.parent if npz else args.arrays
    write = write_ctrgcn_arrays if npz else write_hiclr_arrays
    with one_line('error: '):
        folder.mkdir(parents=True, exist_ok=True)
        shapes = write(args.pickle, args.arrays, args.overwrite)
    for name, shape in shapes.items():
        print(f'{args.arrays} {name} {shape}')
