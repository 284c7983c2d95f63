"""Datasets and transforms."""

from .skeleton_dataset import SkeletonDataset
from .synthetic import SyntheticSkeletons
from .transforms import *  # noqa: F403
from .transforms import __all__ as _transforms

__all__ = ['SkeletonDataset', 'SyntheticSkeletons', *_transforms]
