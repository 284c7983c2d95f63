"""Heads."""

from .decorrelation_head import DecorrelationHead
from .hierarchical_contrast_head import SIMILARITIES, HierarchicalContrastHead
from .pcm3_head import PCM3Head
from .pooled_gcn_head import PooledGCNHead

__all__ = [
    'SIMILARITIES',
    'DecorrelationHead',
    'HierarchicalContrastHead',
    'PCM3Head',
    'PooledGCNHead',
]
