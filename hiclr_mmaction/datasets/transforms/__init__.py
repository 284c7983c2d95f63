"""Registered transforms: thin wrappers of the functions in ``skeleton/``."""

from .augment import (
    SkeletonBlur,
    SkeletonChannelMask,
    SkeletonJointMask,
    SkeletonMirror,
    SkeletonNoise,
    SkeletonRotate,
    SkeletonShear,
    SkeletonTemporalCrop,
    SkeletonTimeFlip,
)
from .base import SkeletonTransform, worker_generator
from .formatting import (
    PackSkeletonViews,
    SkeletonAlign,
    SkeletonStream,
    pack_views,
    views_collate,
)
from .growing import DrawnViews, GrowingAugmentation, join_views

__all__ = [
    'DrawnViews',
    'GrowingAugmentation',
    'PackSkeletonViews',
    'SkeletonAlign',
    'SkeletonBlur',
    'SkeletonChannelMask',
    'SkeletonJointMask',
    'SkeletonMirror',
    'SkeletonNoise',
    'SkeletonRotate',
    'SkeletonShear',
    'SkeletonStream',
    'SkeletonTemporalCrop',
    'SkeletonTimeFlip',
    'SkeletonTransform',
    'join_views',
    'pack_views',
    'views_collate',
    'worker_generator',
]
