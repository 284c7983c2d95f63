"""What only makes things faster."""

from .frames_first import (
    forward_block,
    from_frames_first,
    runs_frames_first,
    suits_frames_first,
    to_frames_first,
)

__all__ = [
    'forward_block',
    'from_frames_first',
    'runs_frames_first',
    'suits_frames_first',
    'to_frames_first',
]
