"""Parts of the learners, and the preprocessor that makes their views."""

from .backbones import DSTANet, HiCLRSTGCN
from .heads import (
    DecorrelationHead,
    HierarchicalContrastHead,
    LatentPredictionHead,
    PooledGCNHead,
)
from .necks import SkeletonPredictor, SkeletonProjector
from .skeleton_view_preprocessor import SkeletonViewPreprocessor

__all__ = [
    'DSTANet',
    'DecorrelationHead',
    'HiCLRSTGCN',
    'HierarchicalContrastHead',
    'LatentPredictionHead',
    'PooledGCNHead',
    'SkeletonPredictor',
    'SkeletonProjector',
    'SkeletonViewPreprocessor',
]
