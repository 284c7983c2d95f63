"""Conversion of weights to and from other projects."""

from .from_hiclr import from_hiclr

__all__ = ['from_hiclr']
