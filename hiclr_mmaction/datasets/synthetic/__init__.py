"""Synthetic persons who perform actions."""

from .choreography import ACTIONS
from .synthetic_skeletons import (
    SyntheticSkeletons,
    make_clip,
    perform,
    place_before_camera,
    pose_annotations,
    sense,
)

__all__ = [
    'ACTIONS',
    'SyntheticSkeletons',
    'make_clip',
    'perform',
    'place_before_camera',
    'pose_annotations',
    'sense',
]
