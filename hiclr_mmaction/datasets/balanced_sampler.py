"""Draw from several data sets whatever their sizes are."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from mmaction.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info, sync_random_seed
from torch import Generator, Tensor
from torch.utils.data import Dataset, Sampler


@DATA_SAMPLERS.register_module()
class BalancedSampler(Sampler):
    """Draw the sets of a ``ConcatDataset`` equally, or by a power of their sizes.

    In each epoch, the number of draws from a set is proportional to ``size ** power``. If a
    set has fewer clips than draws, all its clips are repeated about equally often; if it
    has more, different clips are drawn in each epoch. The order depends only on seed and
    epoch, so that :class:`ResumableTrainLoop` resumes it at any step. Ranks share one
    order, and get the same number of clips.

    Args:
        dataset (Dataset): A ``ConcatDataset``; may be wrapped.
        power (float): 0: sets equally often; 1: clips equally often.
        num_samples (int, optional): Clips per epoch, of all ranks together. None: the total
            number of clips.
        seed (int, optional): Seed of the order, the same on all ranks.

    Attributes:
        quotas (list[int]): How often each set is drawn in an epoch, by all ranks.

    Raises:
        ValueError: If the data set is not of several sets, or a setting is out of range.
    """

    def __init__(
        self,
        dataset: Dataset,
        power: float = 0.0,
        num_samples: int | None = None,
        seed: int | None = None,
    ) -> None:
        sets = getattr(dataset, 'datasets', None)
        if not sets:
            raise ValueError(
                f'BalancedSampler: the data set is {type(dataset).__name__}, not several; '
                "give dataset=dict(type='ConcatDataset', datasets=[...]), or take "
                'DefaultSampler.'
            )
        if not (power >= 0 and math.isfinite(power)):
            raise ValueError(
                f'BalancedSampler: power={power} is not 0 (sets equally often) to 1 '
                '(clips equally often), or more.'
            )
        self.sizes = [len(part) for part in sets]
        if num_samples is None:
            num_samples = sum(self.sizes)
        if num_samples < len(self.sizes):
            raise ValueError(
                f'BalancedSampler: num_samples={num_samples} is less than one clip of each '
                f'of {len(self.sizes)} sets.'
            )
        self.rank, self.world_size = get_dist_info()
        self.length = math.ceil(num_samples / self.world_size)
        self.quotas = _quotas(self.sizes, power, self.length * self.world_size)
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; each epoch has new draws."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = Generator().manual_seed(self.seed + self.epoch)
        drawn, start = [], 0
        for size, quota in zip(self.sizes, self.quotas, strict=True):
            drawn.append(start + _draw(size, quota, generator))
            start += size
        order = torch.cat(drawn)
        order = order[torch.randperm(len(order), generator=generator)]
        yield from order[self.rank :: self.world_size].tolist()

    def __len__(self) -> int:
        return self.length


def _quotas(sizes: list[int], power: float, total: int) -> list[int]:
    """Integers in proportion to ``size ** power`` that add up to the total."""
    largest = max(sizes)
    weights = [(size / largest) ** power if size else 0.0 for size in sizes]
    exact = [total * weight / sum(weights) for weight in weights]
    quotas = [int(share) for share in exact]
    by_rest = sorted(range(len(sizes)), key=lambda i: quotas[i] - exact[i])
    for i in by_rest[: total - sum(quotas)]:
        quotas[i] += 1
    return quotas


def _draw(size: int, count: int, generator: Generator) -> Tensor:
    """Draw all clips equally often, up to one draw."""
    if size == 0:
        return torch.empty(0, dtype=torch.int64)
    often, rest = divmod(count, size)
    some = torch.randperm(size, generator=generator)[:rest]
    return torch.cat([torch.arange(size).repeat(often), some])
