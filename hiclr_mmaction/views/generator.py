"""Random generators: of data workers, and seeded from several numbers."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import get_worker_info

_worker_generator: tuple[Any, Generator] | None = None


def uniform(
    shape: int | tuple[int, ...], low: float, high: float, generator: Generator | None
) -> Tensor:
    """Uniform draws in ``[low, high)``."""
    return torch.empty(shape).uniform_(low, high, generator=generator)


def to_device(x: Tensor, device: torch.device) -> Tensor:
    """Copy draws to a device; the host does not wait for a GPU."""
    if device.type == 'cuda' and not x.is_cuda:
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)


def draw_seed(generator: Generator | None) -> int:
    """Draw a seed, for draws whose number depends on the clips."""
    return int(torch.randint(2**62, (), generator=generator))


def from_seed(seed: int, device: torch.device) -> Generator:
    """A generator that starts from a drawn seed, on the device of the clips."""
    return Generator(device).manual_seed(seed)


def seeded_generator(entropy: Sequence[int]) -> Generator:
    """A generator of the CPU whose seed is mixed from several numbers."""
    (seed,) = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    return Generator().manual_seed(int(seed) >> 1)


def worker_generator() -> Generator:
    """The generator from which a pipeline draws in this process.

    In the main process it is torch's own generator. A data worker has a separate one,
    because mmengine seeds workers with the same numbers in every epoch, so that each epoch
    would repeat the views of the previous one. It is seeded with torch's seed of the
    workers, which is new in every epoch, and mmengine's seed, which differs between ranks.
    """
    global _worker_generator
    info = get_worker_info()
    if info is None:
        return torch.default_generator
    # A forked worker inherits the variable: the key identifies the worker.
    key = (os.getpid(), info.seed)
    if _worker_generator is None or _worker_generator[0] != key:
        _worker_generator = key, seeded_generator([info.seed, torch.initial_seed()])
    return _worker_generator[1]


def seed_worker(entropy: Sequence[int]) -> None:
    """Seed the generators of Python, numpy and torch in a data worker.

    :func:`worker_generator` then gives torch's, as in the main process.

    Args:
        entropy (Sequence[int]): What the seeds are made from, not negative.
    """
    global _worker_generator
    words = np.random.SeedSequence(entropy).generate_state(3)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    # Not torch.manual_seed, which would seed the GPUs as well each time.
    torch.default_generator.manual_seed(int(words[2]))
    info: Any = get_worker_info()
    _worker_generator = (os.getpid(), info.seed), torch.default_generator
