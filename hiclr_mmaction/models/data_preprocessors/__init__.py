"""Data preprocessors."""

from .device_views import DeviceViews
from .skeleton_view_preprocessor import SkeletonViewPreprocessor

__all__ = ['DeviceViews', 'SkeletonViewPreprocessor']
