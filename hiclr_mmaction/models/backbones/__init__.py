"""Backbones."""

from .hiclr_stgcn import HiCLRSTGCN

__all__ = ['HiCLRSTGCN']
