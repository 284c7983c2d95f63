"""Converters of skeleton files to a pose pickle."""

from .bvh import BVHConverter
from .conversion import convert
from .converter import Clip, SkeletonConverter, split_by
from .ctrgcn_arrays import CTRGCNConverter, write_ctrgcn_arrays
from .custom import CustomConverter
from .florence3d import Florence3DConverter
from .kard import KARDConverter
from .labelled_folder import LabelledFolder
from .mapped import MappedConverter
from .msr_action3d import MSRAction3DConverter
from .ntu import NTUConverter, parse_skeleton
from .nw_ucla import NWUCLAConverter
from .pku_mmd import PKUMMDConverter
from .pose_pickle import write_pose_pickle
from .released_arrays import HiCLRArrayConverter, write_hiclr_arrays
from .report import Report
from .sbu import SBUConverter
from .single_clip import read_clip
from .utd_mhad import UTDMHADConverter
from .utkinect import UTKinectConverter

__all__ = [
    'BVHConverter',
    'CTRGCNConverter',
    'Clip',
    'Florence3DConverter',
    'HiCLRArrayConverter',
    'KARDConverter',
    'LabelledFolder',
    'MSRAction3DConverter',
    'MappedConverter',
    'NTUConverter',
    'NWUCLAConverter',
    'CustomConverter',
    'PKUMMDConverter',
    'Report',
    'SBUConverter',
    'SkeletonConverter',
    'UTDMHADConverter',
    'UTKinectConverter',
    'convert',
    'parse_skeleton',
    'read_clip',
    'split_by',
    'write_ctrgcn_arrays',
    'write_hiclr_arrays',
    'write_pose_pickle',
]
