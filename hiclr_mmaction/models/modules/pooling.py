"""From a feature map to one feature a clip."""

from __future__ import annotations

import torch
from torch import Tensor


def pool_skeleton(x: Tensor) -> Tensor:
    """Mean over frames and joints, then over persons (absent ones included).

    Args:
        x (Tensor): Feature map of a GCN backbone, ``(N, M, C, T, V)``.

    Returns:
        Tensor: ``(N, C)``, float32 where the map is of half precision: clips may differ
        by less than that rounds to.
    """
    dtype = torch.promote_types(x.dtype, torch.float32)
    return x.mean(dim=(-2, -1), dtype=dtype).mean(dim=1)
