"""Models."""

from .backbones import HiCLRSTGCN
from .data_preprocessors import SkeletonViewPreprocessor
from .heads import HierarchicalContrastHead
from .necks import SkeletonProjector
from .recognizers import HiCLR

__all__ = [
    'HiCLR',
    'HiCLRSTGCN',
    'HierarchicalContrastHead',
    'SkeletonProjector',
    'SkeletonViewPreprocessor',
]
