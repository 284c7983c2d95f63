"""Hooks."""

from .acceleration_hook import AccelerationHook
from .collapse_warning_hook import CollapseWarningHook
from .console_hook import ConsoleHook
from .interval_info_hook import IntervalInfoHook
from .knn_progress_hook import KNNProgressHook
from .labelled_clips_hook import LabelledClipsHook
from .labels_check_hook import LabelsCheckHook
from .neighbor_mining_hook import NeighborMiningHook
from .non_finite_loss_hook import NonFiniteLossHook
from .pretrain_check_hook import PretrainCheckHook
from .pretrained_check_hook import PretrainedCheckHook
from .resumable_checkpoint_hook import ResumableCheckpointHook, TrainingInterrupted
from .set_statistics_hook import SetStatisticsHook
from .standardized_features_hook import StandardizedFeaturesHook
from .visual_log_hook import VisualLogHook

__all__ = [
    'AccelerationHook',
    'CollapseWarningHook',
    'ConsoleHook',
    'IntervalInfoHook',
    'KNNProgressHook',
    'LabelledClipsHook',
    'LabelsCheckHook',
    'NeighborMiningHook',
    'NonFiniteLossHook',
    'PretrainCheckHook',
    'PretrainedCheckHook',
    'ResumableCheckpointHook',
    'SetStatisticsHook',
    'StandardizedFeaturesHook',
    'TrainingInterrupted',
    'VisualLogHook',
]
