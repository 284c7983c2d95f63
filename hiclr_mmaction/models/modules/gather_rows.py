"""The rows of all ranks, for losses of the whole batch."""

from __future__ import annotations

import torch
from mmengine.dist import all_gather, get_rank, get_world_size
from torch import Tensor


def gather_rows(x: Tensor) -> Tensor:
    """Rows of all ranks, in the order of the ranks, with a gradient to this rank's.

    For a loss that every rank computes from all rows. Each rank has the gradient of its
    own rows, and DDP divides their sum by the number of ranks; so it is multiplied here.
    What is trained is then as in one process that has all clips.

    Args:
        x (Tensor): ``(N, ...)`` of this rank, as many on each rank.

    Returns:
        Tensor: ``(ranks * N, ...)``.
    """
    ranks = get_world_size()
    if ranks == 1:
        return x
    rows = all_gather(x.detach().contiguous())
    rows[get_rank()] = x.detach() + (x - x.detach()) * ranks
    return torch.cat(rows)
