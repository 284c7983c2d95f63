"""Streams: what of a skeleton the encoder sees (joints, bones, their motion)."""

from __future__ import annotations

import torch
from torch import Tensor

from .layouts import SkeletonLayout, get_layout

STREAMS = ('joint', 'bone', 'motion', 'bone_motion')


def to_bone(x: Tensor, layout: str | SkeletonLayout) -> Tensor:
    """Vector from each joint's parent to the joint; zero at the root.

    Args:
        x (Tensor): Coordinates ``(..., V, C)``.
        layout (str | SkeletonLayout): The skeleton whose ``bones`` are taken.
    """
    child, parent = zip(*get_layout(layout).bones, strict=True)
    out = torch.zeros_like(x)
    out[..., child, :] = x[..., child, :] - x[..., parent, :]
    return out


def to_motion(x: Tensor) -> Tensor:
    """Difference to the next frame; zero in the last frame.

    Args:
        x (Tensor): Coordinates ``(..., T, V, C)``.
    """
    out = torch.zeros_like(x)
    out[..., :-1, :, :] = x[..., 1:, :, :] - x[..., :-1, :, :]
    return out


def to_stream(x: Tensor, stream: str, layout: str | SkeletonLayout) -> Tensor:
    """Turn joint coordinates into a stream.

    Args:
        x (Tensor): Joint coordinates ``(..., T, V, C)``.
        stream (str): One of ``'joint'``, ``'bone'``, ``'motion'``, ``'bone_motion'``.
        layout (str | SkeletonLayout): The skeleton.

    Raises:
        ValueError: If the stream is unknown.
    """
    check_stream(stream)
    if stream.startswith('bone'):
        x = to_bone(x, layout)
    return to_motion(x) if stream.endswith('motion') else x


def check_stream(stream: str) -> None:
    """Raise a ValueError if there is no stream of that name."""
    if stream not in STREAMS:
        raise ValueError(
            f'stream={stream!r} is unknown; known are {", ".join(STREAMS)}.'
        )
