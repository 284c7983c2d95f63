"""Parts that learners and backbones are built of."""

from ...skeleton.pooling import (
    blocks_of,
    check_layers,
    check_pool,
    layer_features,
    pool_map,
    pool_skeleton,
    pooled_channels,
    side_by_side,
)
from .absent_persons import forward_present, keep_absent, present_persons
from .bare_model import bare_model
from .batch_shuffle import BatchShuffle
from .edge_perturbation import EdgePerturbation
from .feature_queue import FeatureQueue
from .feature_spread import feature_spread
from .foreach_ema import ForeachEMA, HostValue
from .gather_rows import gather_rows
from .masking import fill_masked, spread_mask
from .neighbor_mining import NeighborMining
from .skele_ada_in import SkeleAdaIN
from .unrecorded import forward_unrecorded

__all__ = [
    'BatchShuffle',
    'EdgePerturbation',
    'FeatureQueue',
    'ForeachEMA',
    'HostValue',
    'NeighborMining',
    'SkeleAdaIN',
    'bare_model',
    'blocks_of',
    'check_layers',
    'check_pool',
    'feature_spread',
    'fill_masked',
    'forward_present',
    'forward_unrecorded',
    'gather_rows',
    'keep_absent',
    'layer_features',
    'pool_map',
    'pool_skeleton',
    'pooled_channels',
    'present_persons',
    'side_by_side',
    'spread_mask',
]
