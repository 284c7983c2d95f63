"""Heads."""

from .hierarchical_contrast_head import SIMILARITIES, HierarchicalContrastHead

__all__ = ['SIMILARITIES', 'HierarchicalContrastHead']
