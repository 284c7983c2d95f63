"""Hooks."""

from .collapse_warning_hook import CollapseWarningHook
from .knn_progress_hook import KNNProgressHook
from .neighbor_mining_hook import NeighborMiningHook
from .pretrain_check_hook import PretrainCheckHook
from .pretrained_check_hook import PretrainedCheckHook
from .visual_log_hook import VisualLogHook

__all__ = [
    'CollapseWarningHook',
    'KNNProgressHook',
    'NeighborMiningHook',
    'PretrainCheckHook',
    'PretrainedCheckHook',
    'VisualLogHook',
]
