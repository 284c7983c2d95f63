"""Recognizers."""

from .hiclr import HiCLR

__all__ = ['HiCLR']
