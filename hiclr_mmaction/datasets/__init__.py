"""Datasets and transforms."""

from .hiclr_npy import HiCLRNpyDataset
from .labelled_fraction import LabelledFraction
from .resident_clips import ResidentClips
from .skeleton_dataset import SkeletonDataset
from .synthetic import SyntheticSkeletons
from .transforms import *  # noqa: F403
from .transforms import __all__ as _transforms

__all__ = [
    'HiCLRNpyDataset',
    'LabelledFraction',
    'ResidentClips',
    'SkeletonDataset',
    'SyntheticSkeletons',
    *_transforms,
]
