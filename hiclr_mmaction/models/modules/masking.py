"""The joint mask: a learnable value in place of joints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def fill_masked(
    views: Sequence[Tensor], mask: Tensor | Sequence | None, value: Tensor | None
) -> list[Tensor]:
    """Put a value where views are masked, for all persons alike.

    Args:
        views (Sequence[Tensor]): ``(N, M, T, V, C)`` each.
        mask (Tensor | Sequence | None): Of the last view, bool ``(N, T, V)`` for all
            coordinates of a joint or ``(N, T, V, C)``; or a list with one (or None) for
            each view.
        value (Tensor, optional): Of one element; 0 by default.

    Returns:
        list[Tensor]: The views. The value is in their graph even if nothing is masked,
        for DDP waits for a gradient of each parameter.
    """
    masks = mask if isinstance(mask, list) else [None] * (len(views) - 1) + [mask]
    if value is None:
        value = views[0].new_zeros(1)
    filled = [
        x if m is None else torch.where(spread_mask(m), value.to(x), x)
        for x, m in zip(views, masks, strict=True)
    ]
    if value.requires_grad and all(m is None for m in masks):
        filled[-1] = filled[-1] + 0 * value
    return filled


def spread_mask(mask: Tensor) -> Tensor:
    """A mask that fits views ``(N, M, T, V, C)``."""
    return (mask if mask.dim() == 4 else mask.unsqueeze(-1)).unsqueeze(1)
