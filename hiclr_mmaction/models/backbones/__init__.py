"""Backbones."""

from .dsta import DSTANet
from .hiclr_stgcn import HiCLRSTGCN

__all__ = ['DSTANet', 'HiCLRSTGCN']
