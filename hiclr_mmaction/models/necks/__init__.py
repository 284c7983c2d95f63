"""Necks."""

from .skeleton_predictor import SkeletonPredictor
from .skeleton_projector import SkeletonProjector

__all__ = ['SkeletonPredictor', 'SkeletonProjector']
