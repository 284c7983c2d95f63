"""Loops."""

from .linear_probe_loop import LinearProbeLoop

__all__ = ['LinearProbeLoop']
