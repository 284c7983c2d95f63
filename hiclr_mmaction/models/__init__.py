"""Parts of the learners, and the preprocessor that makes their views."""

from .backbones import DSTANet, HiCLRSTGCN
from .heads import HierarchicalContrastHead, PooledGCNHead
from .necks import SkeletonProjector
from .skeleton_view_preprocessor import SkeletonViewPreprocessor

__all__ = [
    'DSTANet',
    'HiCLRSTGCN',
    'HierarchicalContrastHead',
    'PooledGCNHead',
    'SkeletonProjector',
    'SkeletonViewPreprocessor',
]
