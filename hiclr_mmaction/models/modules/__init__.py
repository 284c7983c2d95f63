"""Parts that learners and backbones are built of."""

from .absent_persons import forward_present, present_bodies
from .bare_model import bare_model
from .batch_shuffle import BatchShuffle
from .edge_perturbation import EdgePerturbation
from .feature_queue import FeatureQueue
from .foreach_ema import ForeachEMA
from .pooling import pool_skeleton

__all__ = [
    'BatchShuffle',
    'EdgePerturbation',
    'FeatureQueue',
    'ForeachEMA',
    'bare_model',
    'forward_present',
    'pool_skeleton',
    'present_bodies',
]
