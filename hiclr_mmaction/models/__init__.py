"""Models."""

from .backbones import DSTANet, HiCLRSTGCN
from .data_preprocessors import SkeletonViewPreprocessor
from .heads import HierarchicalContrastHead
from .necks import SkeletonProjector
from .recognizers import HiCLR

__all__ = [
    'DSTANet',
    'HiCLR',
    'HiCLRSTGCN',
    'HierarchicalContrastHead',
    'SkeletonProjector',
    'SkeletonViewPreprocessor',
]
