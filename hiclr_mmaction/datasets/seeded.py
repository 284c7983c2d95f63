"""Samples whose draws depend only on their position in the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from mmaction.registry import DATA_SAMPLERS, DATASETS
from mmengine.dist import get_rank, sync_random_seed
from torch.utils.data import Dataset, Sampler, get_worker_info

from ..views.generator import seed_worker


class SeededIndex(int):
    """Index of a sample with the seed of its draws.

    Attributes:
        entropy (tuple[int, ...]): What the seed is made from.
    """

    entropy: tuple[int, ...]

    def __new__(cls, index: int, entropy: tuple[int, ...]) -> SeededIndex:
        """Make one; ``int`` takes its value here, not in ``__init__``."""
        self = super().__new__(cls, index)
        self.entropy = entropy
        return self

    def __reduce__(self) -> tuple:
        return SeededIndex, (int(self), self.entropy)


class SeededSampler(Sampler):
    """Give each sample of another sampler a seed; may start at any sample.

    Args:
        dataset (Dataset): What is sampled.
        sampler (dict): The other sampler, e.g. ``dict(type='DefaultSampler')``.
        seed (int, optional): Seed of its order and of all draws, one for all ranks.

    Attributes:
        start (int): Number of samples that the next iteration skips.
    """

    def __init__(self, dataset: Dataset, sampler: dict, seed: int | None = None):
        self._seed = sync_random_seed() if seed is None else seed
        self._sampler = DATA_SAMPLERS.build(
            sampler, default_args=dict(dataset=dataset, seed=self._seed)
        )
        self._rank = get_rank()
        self._epoch = 0
        self.start = 0

    @property
    def sampler(self) -> Any:
        """The other sampler."""
        return self._sampler

    @property
    def seed(self) -> int:
        """The seed; setting it sets that of the other sampler, too."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._seed = self._sampler.seed = seed

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; each epoch has a new order and new draws."""
        self._epoch = epoch
        if hasattr(self._sampler, 'set_epoch'):
            self._sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[SeededIndex]:
        start, self.start = self.start, 0
        for position, index in islice(enumerate(self._sampler), start, None):
            yield SeededIndex(index, (self._seed, self._rank, self._epoch, position))

    def __len__(self) -> int:
        return len(self._sampler)


class SeededDataset(Dataset):
    """Wrap a data set so that its samples use the seeds of :class:`SeededSampler`.

    In a data worker, the generators of Python, numpy and torch are seeded before each
    sample. Views then do not depend on the worker that makes them, and a checkpoint need
    not store the state of workers. In the main process nothing is seeded, because
    checkpoints store its generators.

    Args:
        dataset (dict | Dataset): The data set; its attributes are available on this one.
    """

    def __init__(self, dataset: dict | Dataset) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset

    def __getitem__(self, index: int) -> Any:
        self._seed(index)
        return self.dataset[int(index)]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """A batch; a data set that makes one at once is seeded once for it."""
        if not hasattr(self.dataset, '__getitems__'):
            return [self[index] for index in indices]
        self._seed(indices[0])
        return self.dataset.__getitems__([int(index) for index in indices])

    @staticmethod
    def _seed(index: int) -> None:
        if isinstance(index, SeededIndex) and get_worker_info() is not None:
            seed_worker(index.entropy)

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        # Not what Python and torch look for by themselves.
        if name == 'dataset' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)
