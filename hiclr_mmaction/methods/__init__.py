"""Self-supervised learners of skeleton encoders."""

from .base import SkeletonLearner
from .hiclr import HiCLR

__all__ = ['HiCLR', 'SkeletonLearner']
