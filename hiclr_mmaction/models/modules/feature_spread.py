"""A monitor of collapse."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def feature_spread(x: Tensor) -> Tensor:
    """How far embeddings of unit length ``(N, D)`` spread: 1 over the sphere, 0 collapsed.

    The mean standard deviation of a coordinate, times ``D ** 0.5``: for unit vectors
    spread evenly over the sphere each coordinate has one of ``D ** -0.5``.
    """
    return (x.float().std(0, correction=0) * x.shape[1] ** 0.5).mean()
