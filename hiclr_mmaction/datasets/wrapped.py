"""Data sets within data sets."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.dataset import BaseDataset


def innermost(dataset: BaseDataset) -> Iterator[BaseDataset]:
    """The data sets inside of a wrapped or concatenated one."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset
    else:
        for part in inner:
            yield from innermost(part)
