"""Parts of the recognizer."""

from .edge_perturbation import EdgePerturbation
from .feature_queue import FeatureQueue
from .frames_first import (
    forward_block,
    from_frames_first,
    runs_frames_first,
    suits_frames_first,
    to_frames_first,
)
from .pooling import pool_skeleton

__all__ = [
    'EdgePerturbation',
    'FeatureQueue',
    'forward_block',
    'from_frames_first',
    'pool_skeleton',
    'runs_frames_first',
    'suits_frames_first',
    'to_frames_first',
]
