"""Streams: joints, bones, and their motion.

The difference of two 2-D joints has the smaller of their scores. (The product is
the probability that both are right only if errors are independent, which those of one
person and of neighbouring frames are not; it also shrinks with each difference taken.)
"""

from __future__ import annotations

import torch
from torch import Tensor

from .constants import constant
from .layouts import SkeletonLayout, get_layout

STREAMS = ('joint', 'bone', 'motion', 'bone_motion')


def to_bone(x: Tensor, layout: str | SkeletonLayout) -> Tensor:
    """Vector from each joint's parent to the joint; zero at the root.

    Args:
        x (Tensor): Coordinates ``(..., V, C)``.
        layout (str | SkeletonLayout): The skeleton whose ``bones`` are taken. Where its
            coordinates have a score, a bone has the smaller one of its two joints, and
            the root its own.
    """
    layout = get_layout(layout)
    parent_of = dict(layout.bones)
    # The root is its own parent, so that its bone is zero.
    parents = tuple(parent_of.get(v, v) for v in range(layout.num_joints))
    parent = x.index_select(-2, constant(parents, torch.int64, x.device))
    out = x - parent
    if layout.coordinates == '2d':
        out[..., 2] = torch.minimum(x[..., 2], parent[..., 2])
    return out


def to_motion(x: Tensor, layout: str | SkeletonLayout | None = None) -> Tensor:
    """Difference to the next frame; zero in the last frame.

    Args:
        x (Tensor): Coordinates ``(..., T, V, C)``.
        layout (str | SkeletonLayout, optional): The skeleton. Where its coordinates
            have a score, a motion has the smaller one of its two frames, and the last
            frame its own. None: no coordinate is a score.
    """
    out = torch.zeros_like(x)
    out[..., :-1, :, :] = x[..., 1:, :, :] - x[..., :-1, :, :]
    if layout is not None and get_layout(layout).coordinates == '2d':
        score = x[..., 2]
        out[..., 2] = score
        out[..., :-1, :, 2] = torch.minimum(score[..., 1:, :], score[..., :-1, :])
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
    return to_motion(x, layout) if stream.endswith('motion') else x


def check_stream(stream: str) -> None:
    """Raise a ValueError if there is no stream of that name."""
    if stream not in STREAMS:
        raise ValueError(
            f'stream={stream!r} is unknown; known are {", ".join(STREAMS)}.'
        )
