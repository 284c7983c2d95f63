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
from .formatting import PackSkeletonViews, SkeletonAlign, SkeletonStream, pack_mask
from .growing import GrowingAugmentation

__all__ = [
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
    'pack_mask',
    'worker_generator',
]
