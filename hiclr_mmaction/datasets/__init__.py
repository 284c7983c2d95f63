"""Data sets."""

from .balanced_sampler import BalancedSampler
from .hiclr_npy import HiCLRNpyDataset
from .labelled_fraction import LabelledFraction, choose_clips
from .resident_clips import ResidentClips
from .skeleton_dataset import SkeletonDataset
from .synthetic import SyntheticSkeletons

__all__ = [
    'BalancedSampler',
    'HiCLRNpyDataset',
    'LabelledFraction',
    'ResidentClips',
    'SkeletonDataset',
    'SyntheticSkeletons',
    'choose_clips',
]
