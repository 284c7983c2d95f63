"""Parts of the recognizer."""

from .absent_bodies import forward_present, present_bodies
from .bare_model import bare_model
from .batch_shuffle import BatchShuffle
from .edge_perturbation import EdgePerturbation
from .feature_queue import FeatureQueue
from .foreach_ema import ForeachEMA
from .frames_first import (
    forward_block,
    from_frames_first,
    runs_frames_first,
    suits_frames_first,
    to_frames_first,
)
from .pooling import pool_skeleton

__all__ = [
    'BatchShuffle',
    'EdgePerturbation',
    'FeatureQueue',
    'ForeachEMA',
    'bare_model',
    'forward_block',
    'forward_present',
    'from_frames_first',
    'pool_skeleton',
    'present_bodies',
    'runs_frames_first',
    'suits_frames_first',
    'to_frames_first',
]
