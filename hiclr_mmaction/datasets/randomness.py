"""Whether a data set returns the same clip each time."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from torch import Tensor

from .wrapped import innermost


@contextmanager
def draws_taken_back() -> Iterator[None]:
    """Restore the generators of the CPU afterwards."""
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def random_transform(dataset: BaseDataset, clips: int = 16) -> str | None:
    """Find a random transform in a data set.

    Clips are read twice and compared, so that transforms of any project are found.
    A transform with probability 1/2 is missed once in 2 ** 16 times.

    Args:
        dataset (BaseDataset): May be wrapped.
        clips (int): How many clips, spread over the data set, are compared.

    Returns:
        str | None: The transform, or the data set where it has no pipeline; None if
        the clips are the same each time.
    """
    with draws_taken_back():
        if not any(
            _differ(dataset[index], dataset[index])
            for index in _spread(len(dataset), clips)
        ):
            return None
        for part in innermost(dataset):
            transforms = getattr(getattr(part, 'pipeline', None), 'transforms', ())
            for index in _spread(len(part), clips) if transforms else ():
                results = part.get_data_info(index)
                for transform in transforms:
                    again = transform(copy.deepcopy(results))
                    results = transform(results)
                    if _differ(results, again):
                        return type(transform).__name__
    return type(dataset).__name__


def _spread(size: int, count: int) -> list[int]:
    return [round(i) for i in np.linspace(0, size - 1, min(size, count))]


def _differ(one: Any, other: Any) -> bool:
    """Whether any array differs in two samples, or in what they hold."""
    if isinstance(one, Mapping):
        return one.keys() != other.keys() or any(
            _differ(one[key], other[key]) for key in one
        )
    if isinstance(one, list | tuple):
        return len(one) != len(other) or any(map(_differ, one, other))
    if isinstance(one, Tensor | np.ndarray):
        return not np.array_equal(one, other)
    return False
