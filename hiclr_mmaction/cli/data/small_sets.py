"""Convert the files of a small data set, as its authors give them, to a pose pickle.

Example:
    python tools/data/kard.py KARD data/skeleton/kard_3d.pkl
"""

from ... import converters
from .common import add_max_frames, add_output_options, make_parser, run

_BY_SUBJECT = (
    'splits: xsub_train (odd subjects), xsub_val; loso01_train, loso01_val, ..., one\n'
    'subject left out each.'
)
# Of each: title, converter, what the folder holds, splits.
SETS = dict(
    florence3d=(
        'Florence 3D Actions',
        converters.Florence3DConverter,
        'folder of Florence_dataset_WorldCoordinates.txt',
        _BY_SUBJECT,
    ),
    kard=(
        'KARD',
        converters.KARDConverter,
        'folder of aAA_sSS_eEE_realworld.txt files',
        _BY_SUBJECT,
    ),
    msr_action3d=(
        'MSR-Action3D',
        converters.MSRAction3DConverter,
        'folder of aAA_sSS_eEE_skeleton3D.txt files',
        'splits: xsub_train (odd subjects), xsub_val, and the same of the subsets as1,\n'
        'as2 and as3, with labels of the whole set. Name the clips that the authors\n'
        'leave out by --ignore.',
    ),
    nw_ucla=(
        'NW-UCLA, as CTR-GCN distributes it (all_sqe)',
        converters.NWUCLAConverter,
        'folder of aAA_sSS_eEE_vVV.json files',
        'splits: xview_train (views 1 and 2), xview_val (view 3).',
    ),
    sbu=(
        'SBU Kinect Interaction',
        converters.SBUConverter,
        'folder of sSSsSS/AA/NNN/skeleton_pos.txt files',
        "splits: fold1_train, fold1_val, ... fold5_val, the authors' folds.",
    ),
    utd_mhad=(
        'UTD-MHAD',
        converters.UTDMHADConverter,
        'folder of aA_sS_tT_skeleton.mat files',
        'splits: xsub_train (odd subjects), xsub_val.',
    ),
    utkinect=(
        'UTKinect-Action3D',
        converters.UTKinectConverter,
        'folder of joints_sSS_eEE.txt files and actionLabel.txt',
        _BY_SUBJECT,
    ),
)


def main(name: str) -> None:
    """Run the program of a data set, such as ``'kard'``."""
    title, converter, folder, splits = SETS[name]
    parser = make_parser(f'Convert the files of {title} to a pose pickle.', splits)
    parser.add_argument('folder', help=f'{folder}; subfolders count')
    add_max_frames(parser, default=0)
    add_output_options(parser)
    args = parser.parse_args()
    run(lambda: converter(args.folder, args.max_frames or None), args)
