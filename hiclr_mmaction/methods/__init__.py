"""Self-supervised learners of skeleton encoders."""

from .base import GrowingViews, QueueLearner, SkeletonLearner
from .hiclr import HiCLR
from .pcm3 import PCM3
from .vicreg import SkeletonVICReg

__all__ = [
    'PCM3',
    'GrowingViews',
    'HiCLR',
    'QueueLearner',
    'SkeletonLearner',
    'SkeletonVICReg',
]
