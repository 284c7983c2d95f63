"""Parts of the recognizer."""

from .edge_perturbation import EdgePerturbation
from .feature_queue import FeatureQueue
from .pooling import pool_skeleton

__all__ = ['EdgePerturbation', 'FeatureQueue', 'pool_skeleton']
