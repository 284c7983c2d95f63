"""Data sets within data sets."""

from __future__ import annotations

from collections.abc import Iterator

from torch.utils.data import Dataset


def innermost(dataset: Dataset) -> Iterator[Dataset]:
    """The data sets inside of a wrapped or concatenated one."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset
    else:
        for part in inner:
            yield from innermost(part)
