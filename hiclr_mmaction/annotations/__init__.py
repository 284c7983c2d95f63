"""The pose pickle: read safely, checked, inspected, aligned."""

from .clip_checks import UnusableClip, check_keypoint, join_score, sample_name
from .prepared import Preparation, prepare_clip
from .safe_pickle import SafeUnpickler, load_pickle

__all__ = [
    'Preparation',
    'SafeUnpickler',
    'UnusableClip',
    'check_keypoint',
    'join_score',
    'load_pickle',
    'prepare_clip',
    'sample_name',
]
