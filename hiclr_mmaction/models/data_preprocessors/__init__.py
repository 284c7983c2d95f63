"""Data preprocessors."""

from .skeleton_view_preprocessor import SkeletonViewPreprocessor

__all__ = ['SkeletonViewPreprocessor']
