"""The queue of negatives."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from torch import Tensor, nn


class FeatureQueue(nn.Module):
    """First-in, first-out memory of key embeddings (MoCo, section 3.1).

    The embeddings of all ranks go in, in the order of the ranks, so that the queue is
    the same on each. Any number of rows fits any batch: it wraps around.

    Args:
        size (int): Number of rows, ``K``.
        dim (int): Embedding size, ``D``.

    Attributes:
        features (Tensor): ``(K, D)``, rows of unit length, random at first.
        pointer (Tensor): The row that is written next, int64.
    """

    features: Tensor
    pointer: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        if type(size) is not int or size < 1:
            raise ValueError(
                f'queue_size={size} holds no negative; give a whole number, at least the '
                'batch of all ranks.'
            )
        self.register_buffer('features', F.normalize(torch.randn(size, dim), dim=1))
        self.register_buffer('pointer', torch.zeros((), dtype=torch.long))

    def check_batch(self, batch_size: int) -> None:
        """Raise a ValueError if the keys of a step are more than the queue holds."""
        size = len(self.features)
        if batch_size > size:
            raise ValueError(
                f'queue_size={size} is smaller than the batch of {batch_size} clips (all '
                'ranks together); make the queue larger or the batch smaller.'
            )

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Write keys ``(N, D)`` of this rank, as many on each, over the oldest rows."""
        keys = torch.cat(all_gather(keys.to(self.features.dtype).contiguous()))
        self.check_batch(len(keys))
        size = len(self.features)
        # Row numbers stay on the device: reading the pointer would wait for it.
        rows = (self.pointer + torch.arange(len(keys), device=keys.device)) % size
        self.features.index_copy_(0, rows, keys)
        self.pointer.copy_((self.pointer + len(keys)) % size)
