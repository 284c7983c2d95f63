"""Parts of the learners, and the preprocessor that makes their views."""

from .backbones import DSTANet, HiCLRSTGCN
from .heads import (
    DecorrelationHead,
    HierarchicalContrastHead,
    PCM3Head,
    PooledGCNHead,
)
from .necks import SkeletonProjector
from .skeleton_view_preprocessor import SkeletonViewPreprocessor

__all__ = [
    'DSTANet',
    'DecorrelationHead',
    'HiCLRSTGCN',
    'HierarchicalContrastHead',
    'PCM3Head',
    'PooledGCNHead',
    'SkeletonProjector',
    'SkeletonViewPreprocessor',
]
