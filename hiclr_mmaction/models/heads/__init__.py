"""Heads."""

from .decorrelation_head import DecorrelationHead
from .hierarchical_contrast_head import SIMILARITIES, HierarchicalContrastHead
from .latent_prediction_head import LatentPredictionHead
from .pooled_gcn_head import PooledGCNHead

__all__ = [
    'SIMILARITIES',
    'DecorrelationHead',
    'HierarchicalContrastHead',
    'LatentPredictionHead',
    'PooledGCNHead',
]
