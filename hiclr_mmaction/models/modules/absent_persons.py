"""Bodies that are not there: a clip of one person holds zeros in place of the second."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def present_bodies(x: Tensor) -> Tensor:
    """Which bodies of clips ``(N, M, T, V, C)`` are not all zeros: bool ``(N, M)``."""
    return (x != 0).flatten(2).any(2)


def forward_present(backbone: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Run a backbone on the bodies that are there, and average over them.

    The first body of a clip that has none is run all the same. Which are run is read
    from the data, so a GPU is waited for.

    Args:
        backbone (Callable): ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        x (Tensor): Clips ``(N, M, T, V, C)``.

    Returns:
        Tensor: ``(N, 1, C', T', V)``; a mean over its second axis, as heads and necks
        take it, is the mean over the bodies that are there.
    """
    present = present_bodies(x)
    present[:, 0] |= ~present.any(1)
    clip, body = present.nonzero(as_tuple=True)
    features = backbone(x[clip, body][:, None])
    share = 1 / present.sum(1).to(features.dtype)[clip]
    features = features * share.view(-1, 1, 1, 1, 1)
    out = features.new_zeros(len(x), *features.shape[1:])
    return torch.index_add(out, 0, clip, features)
