"""Parts of configs: data sets within data sets, and the classes that are named."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.registry import Registry


def kind_of(cfg: Any, registry: Registry) -> Any:
    """What the ``type`` of a part of a config names; None if nothing."""
    named = cfg.get('type') if isinstance(cfg, Mapping) else None
    return registry.get(named) if isinstance(named, str) else named


def is_kind(cfg: Any, registry: Registry, kind: type) -> bool:
    """Whether the ``type`` of a part of a config is a class or derives from it."""
    target = kind_of(cfg, registry)
    return inspect.isclass(target) and issubclass(target, kind)


def is_known(cfg: Any, registry: Registry) -> bool:
    """Whether what a part names is this project's, MMAction2's or mmcv's."""
    module = getattr(kind_of(cfg, registry), '__module__', '')
    return module.partition('.')[0] in ('hiclr_mmaction', 'mmaction', 'mmcv')


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
