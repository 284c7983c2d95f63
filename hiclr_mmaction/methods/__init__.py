"""Self-supervised learners of skeleton encoders."""

from .base import QueueLearner, SkeletonLearner
from .hiclr import HiCLR
from .vicreg import SkeletonVICReg

__all__ = ['HiCLR', 'QueueLearner', 'SkeletonLearner', 'SkeletonVICReg']
