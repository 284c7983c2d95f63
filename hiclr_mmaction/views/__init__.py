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
from .formatting import (
    PackSkeletonViews,
    SkeletonAlign,
    SkeletonStream,
    SkeletonToLayout,
)
from .generator import draw_seed, from_seed, worker_generator
from .growing import GrowingAugmentation, pack_views
from .part_mask import SkeletonPartMask
from .transform import SkeletonTransform

__all__ = [
    'GrowingAugmentation',
    'PackSkeletonViews',
    'SkeletonAlign',
    'SkeletonBlur',
    'SkeletonChannelMask',
    'SkeletonJointMask',
    'SkeletonMirror',
    'SkeletonNoise',
    'SkeletonPartMask',
    'SkeletonRotate',
    'SkeletonShear',
    'SkeletonStream',
    'SkeletonTemporalCrop',
    'SkeletonTimeFlip',
    'SkeletonToLayout',
    'SkeletonTransform',
    'draw_seed',
    'from_seed',
    'pack_views',
    'worker_generator',
]
