"""Absent persons: zeros in a clip with fewer persons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def present_persons(x: Tensor) -> Tensor:
    """Which persons of clips ``(N, M, T, V, C)`` are not all zeros: bool ``(N, M)``."""
    return (x != 0).flatten(2).any(2)


def forward_present(backbone: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Run a backbone on the present persons, and average over them.

    The first person is run even if the clip has none. Reading who is present waits for
    the GPU.

    Args:
        backbone (Callable): ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        x (Tensor): Clips ``(N, M, T, V, C)``.

    Returns:
        Tensor: ``(N, 1, C', T', V)``; a mean over its second axis, as heads and necks
        take it, is the mean over the present persons.
    """
    present = present_persons(x)
    present[:, 0] |= ~present.any(1)
    clip, person = present.nonzero(as_tuple=True)
    features = backbone(x[clip, person][:, None])
    share = 1 / present.sum(1).to(features.dtype)[clip]
    features = features * share.view(-1, 1, 1, 1, 1)
    out = features.new_zeros(len(x), *features.shape[1:])
    return torch.index_add(out, 0, clip, features)


def keep_absent(
    backbone: nn.Module, views: Sequence[Tensor], weakest: Sequence[Tensor]
) -> list[Tensor]:
    """Reset absent persons to zeros after noise and masks.

    Only for a backbone that leaves absent persons out (``skip_absent``).

    Args:
        backbone (nn.Module): The backbone that takes the views.
        views (Sequence[Tensor]): Views of the same clips, ``(N, M, T, V, C)`` each.
        weakest (Sequence[Tensor]): Views in which a person is all zeros only if absent.
    """
    if not getattr(backbone, 'skip_absent', False):
        return list(views)
    present = torch.stack([present_persons(x) for x in weakest]).any(0)
    return [x * present[..., None, None, None] for x in views]
