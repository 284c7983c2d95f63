"""Connected regions of a skeleton."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .layouts import SkeletonLayout


def joint_distances(layout: SkeletonLayout) -> Tensor:
    """How many bones lie between each two joints: float32 ``(V, V)``."""
    near = torch.eye(layout.num_joints)
    child, parent = torch.tensor(layout.bones).T
    near[child, parent] = near[parent, child] = 1
    distances, reached = torch.zeros_like(near), torch.eye(len(near))
    while (reached == 0).any():  # a layout is a tree
        distances += reached == 0
        reached = (reached @ near).clamp(max=1)
    return distances


def connected_joints(
    distances: Tensor, counts: Tensor, generator: Generator | None = None
) -> Tensor:
    """Choose connected joints: a random joint and those nearest to it.

    Args:
        distances (Tensor): From :func:`joint_distances`.
        counts (Tensor): How many joints to choose, ``(...)``, on the generator's device.
        generator (Generator, optional): Torch's own by default.

    Returns:
        Tensor: bool ``(..., V)``.
    """
    num_joints, device = len(distances), counts.device
    shape = counts.shape
    center = torch.randint(num_joints, shape, generator=generator, device=device)
    tie = torch.rand(*shape, num_joints, generator=generator, device=device)
    rank = (distances.to(device)[center] + tie).argsort(-1).argsort(-1)
    return rank < counts.unsqueeze(-1)
