"""Data sets within data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmengine.dataset import BaseDataset


def innermost(dataset: BaseDataset) -> Iterator[BaseDataset]:
    """The data sets inside of a wrapped or concatenated one."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset
    else:
        for part in inner:
            yield from innermost(part)


def dataset_cfgs(cfg: Mapping | None, path: str) -> Iterator[tuple[str, Mapping]]:
    """Paths and configs of the innermost data sets of a wrapped or concatenated one."""
    if not isinstance(cfg, Mapping):
        return
    if isinstance(cfg.get('datasets'), list | tuple):
        for i, part in enumerate(cfg['datasets']):
            yield from dataset_cfgs(part, f'{path}.datasets.{i}')
    elif isinstance(cfg.get('dataset'), Mapping):
        yield from dataset_cfgs(cfg['dataset'], f'{path}.dataset')
    else:
        yield path, cfg
