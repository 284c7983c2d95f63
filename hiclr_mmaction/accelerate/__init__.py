"""Optional speed-ups."""

from .frames_first import forward_frames_first, suits_frames_first

__all__ = ['forward_frames_first', 'suits_frames_first']
