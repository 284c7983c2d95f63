"""Shuffled batch norm for the key encoder (MoCo, section 3.3)."""

from __future__ import annotations

import torch
from mmengine.dist import all_gather, broadcast, get_rank, get_world_size
from torch import Tensor


class BatchShuffle:
    """A permutation of the clips of all ranks, and its inverse.

    A query and its key are then normalised in different batches, so the statistics of
    batch norm do not reveal the pairs. In one process nothing is moved, because the
    statistics do not depend on the order.

    Args:
        num_clips (int): Clips of this rank, ``N``, as many on each rank.
        device (torch.device): Where the clips are.
    """

    def __init__(self, num_clips: int, device: torch.device) -> None:
        self.num_clips = num_clips
        self.order: Tensor | None = None
        if get_world_size() > 1:
            # Drawn on every rank, so that their generators stay in step.
            self.order = torch.randperm(get_world_size() * num_clips, device=device)
            broadcast(self.order)

    def shuffle(self, x: Tensor) -> Tensor:
        """Swap this rank's ``(N, ...)`` for as many clips of all ranks."""
        return x if self.order is None else self._take(x, self.order)

    def unshuffle(self, x: Tensor) -> Tensor:
        """Return the results of each rank's own clips to it, ``(N, ...)``, in order."""
        return x if self.order is None else self._take(x, self.order.argsort())

    def _take(self, x: Tensor, order: Tensor) -> Tensor:
        begin = get_rank() * self.num_clips
        mine = order[begin : begin + self.num_clips]
        return torch.cat(all_gather(x.contiguous()))[mine]
