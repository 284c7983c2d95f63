"""Necks."""

from .skeleton_projector import SkeletonProjector

__all__ = ['SkeletonProjector']
