"""Heads."""

from .decorrelation_head import DecorrelationHead
from .hierarchical_contrast_head import SIMILARITIES, HierarchicalContrastHead
from .pooled_gcn_head import PooledGCNHead

__all__ = [
    'SIMILARITIES',
    'DecorrelationHead',
    'HierarchicalContrastHead',
    'PooledGCNHead',
]
