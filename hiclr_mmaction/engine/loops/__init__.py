"""Loops."""

from .fine_tune_loop import FineTuneLoop
from .linear_probe_loop import LinearProbeLoop
from .resumable_train_loop import ResumableTrainLoop

__all__ = ['FineTuneLoop', 'LinearProbeLoop', 'ResumableTrainLoop']
