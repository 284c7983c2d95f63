"""Sources of skeletons, and how they become a pose pickle."""

from .bvh import BVHSource
from .conversion import convert
from .converter import Clip, SkeletonSource, split_by
from .custom import OwnSource
from .labelled_folder import LabelledFolder
from .msr_action3d import MSRAction3DSource
from .ntu import NTUSource, parse_skeleton
from .nw_ucla import NWUCLASource
from .pku_mmd import PKUMMDSource
from .pose_pickle import write_pose_pickle
from .released_arrays import HiCLRArraySource, write_hiclr_arrays
from .report import Report
from .single_clip import read_clip
from .utd_mhad import UTDMHADSource

__all__ = [
    'BVHSource',
    'Clip',
    'HiCLRArraySource',
    'LabelledFolder',
    'MSRAction3DSource',
    'NTUSource',
    'NWUCLASource',
    'OwnSource',
    'PKUMMDSource',
    'Report',
    'SkeletonSource',
    'UTDMHADSource',
    'convert',
    'parse_skeleton',
    'read_clip',
    'split_by',
    'write_hiclr_arrays',
    'write_pose_pickle',
]
