"""Loops."""

from .linear_probe_loop import LinearProbeLoop
from .resumable_train_loop import ResumableTrainLoop

__all__ = ['LinearProbeLoop', 'ResumableTrainLoop']
