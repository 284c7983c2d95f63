"""Views of clips: registered transforms over the functions of ``skeleton/``."""

from .augmentations import (
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
from .batch_views import DeviceViews
from .formatting import (
    PackSkeletonViews,
    SkeletonAlign,
    SkeletonStream,
    pack_views,
    views_collate,
)
from .growing import DrawnViews, GrowingAugmentation, join_views
from .transform import SkeletonTransform, worker_generator

__all__ = [
    'DeviceViews',
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
