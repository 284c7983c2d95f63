"""Self-supervised learners of skeleton encoders."""

from .hiclr import HiCLR

__all__ = ['HiCLR']
