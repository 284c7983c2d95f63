"""Self-supervised learners of skeleton encoders."""

from .base import SkeletonLearner
from .hiclr import HiCLR
from .masked_latent import MaskedLatentPrediction
from .vicreg import SkeletonVICReg

__all__ = ['HiCLR', 'MaskedLatentPrediction', 'SkeletonLearner', 'SkeletonVICReg']
