"""Convert NW-UCLA, as CTR-GCN distributes it (all_sqe/*.json), to a pose pickle.

Example:
    python tools/data/nw_ucla.py all_sqe data/nw_ucla_3d.pkl
"""

from ...converters import NWUCLAConverter
from .common import add_max_frames, add_output_options, make_parser, run


def parse_args(argv=None):
    parser = make_parser(
        'Convert the JSON files of NW-UCLA to a pose pickle.',
        'splits: xview_train (views 1 and 2), xview_val (view 3).',
    )
    parser.add_argument('folder', help='folder of aAA_sSS_eEE_vVV.json files')
    add_max_frames(parser, default=0)
    add_output_options(parser)
    return parser.parse_args(argv)


def main() -> None:
    args = parse_args()
    run(lambda: NWUCLAConverter(args.folder, args.max_frames or None), args)


if __name__ == '__main__':
    main()
