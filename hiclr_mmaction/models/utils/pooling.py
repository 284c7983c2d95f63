"""From a feature map to one feature a clip."""

from __future__ import annotations

from torch import Tensor


def pool_skeleton(x: Tensor) -> Tensor:
    """Mean over frames and joints, then over persons (absent ones included).

    Args:
        x (Tensor): Feature map of a GCN backbone, ``(N, M, C, T, V)``.

    Returns:
        Tensor: ``(N, C)``.
    """
    return x.mean(dim=(-2, -1)).mean(dim=1)
