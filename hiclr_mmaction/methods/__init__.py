"""Self-supervised learners of skeleton encoders."""

from .base import SkeletonLearner
from .hiclr import HiCLR
from .vicreg import SkeletonVICReg

__all__ = ['HiCLR', 'SkeletonLearner', 'SkeletonVICReg']
