"""HiCLR: hierarchical consistent contrastive learning of skeleton encoders."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Annotated

import torch
import torch.nn.functional as F
from mmaction.registry import HOOKS, LOOPS, MODELS
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import Tensor

from ..datasets.wrapped import kind_of
from ..models.modules import HostValue, NeighborMining
from .base import GrowingViews, QueueLearner

_NO_BEGIN = (
    'mining has no begin, so that neighbours would never be mined; set '
    'model.mining.begin to an epoch (0: the first), or model.mining=None.'
)


@MODELS.register_module()
class HiCLR(GrowingViews, QueueLearner):
    """HiCLR (AAAI 2023, arXiv 2211.13466) around any GCN backbone of MMAction2.

    The views of a clip grow in strength. The weakest is contrasted with the key view
    against a queue; each stronger one is pulled towards the one below it.

    Args:
        *args: ``backbone``, ``neck`` and ``head``, as in :class:`QueueLearner`; the head
            is e.g. :class:`HierarchicalContrastHead`.
        mining (dict, optional): Arguments of :class:`NeighborMining` (``topk``,
            ``begin``; the released recipe has 1 and 150). :class:`NeighborMiningHook`
            may set ``begin`` instead.
        **kwargs: Of :class:`GrowingViews` (``graph_augment``, ``mask_token``),
            :class:`QueueLearner` (``queue_size``, ``momentum``, ``shuffle_bn``) and
            :class:`SkeletonLearner` (``data_preprocessor``, ``pool``, ``init_cfg``).

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self, *args, mining: Annotated[dict, NeighborMining] | None = None, **kwargs
    ) -> None:
        super().__init__(*args, **kwargs)
        self.mining = None if mining is None else NeighborMining(**mining)
        queue_size = len(self.queue.features)
        if self.mining is not None and self.mining.topk > queue_size:
            raise ValueError(
                f'mining.topk={self.mining.topk} is more than queue_size={queue_size}, '
                'which the neighbours are taken from; make it smaller.'
            )
        # An integer: ranks can average it.
        self.register_buffer('_mining_active', torch.tensor(0))
        self._mining = HostValue()

    def loss(
        self, inputs: dict, data_samples: list | None = None, **kwargs
    ) -> dict[str, Tensor]:
        """Losses and monitors of a batch.

        Args:
            inputs (dict): The views, as :meth:`embed_queries` takes them.
            data_samples (list, optional): Not used.

        Returns:
            dict: As :meth:`HierarchicalContrastHead.loss`.

        Raises:
            ValueError: If ``inputs`` are clips instead of views.
        """
        self.require_views(inputs)
        queries = self.embed_queries(inputs)
        key = self.embed_key(inputs['key'])
        losses = self.head.loss(
            queries,
            key,
            self.queue.features.clone(),  # backward needs it as it is now
            num_neighbors=(
                self.mining.topk if self.mining and self.mining_active else 0
            ),
        )
        self.queue.enqueue(key)
        return losses

    def embed_query(self, x: Tensor, level: int = 0, num_levels: int = 1) -> Tensor:
        """Embeddings ``(N, D)`` of a query view, of unit length."""
        return F.normalize(super().embed_query(x, level, num_levels).float(), dim=1)

    @property
    def mining_active(self) -> bool:
        """Whether neighbours are mined; a part of the state."""
        return bool(self._mining.read(self._mining_active))

    @mining_active.setter
    def mining_active(self, active: bool) -> None:
        if active and self.mining is None:
            raise ValueError(
                'neighbour mining is turned on, but the model has mining=None; set '
                'model.mining=dict(topk=1), or remove NeighborMiningHook.'
            )
        self._mining.write(self._mining_active, int(active))

    def set_epoch(self, epoch: int) -> None:
        """Begin to mine neighbours after as many epochs as ``mining.begin``."""
        if self.mining is None:
            return
        if self.mining.begin is None:
            raise ValueError(_NO_BEGIN)
        active = epoch >= self.mining.begin
        if active and not self.mining_active:
            print_log(f'Neighbour mining is on from epoch {epoch + 1}.', 'current')
        self.mining_active = active

    @classmethod
    def check(cls, model: Mapping, cfg: Mapping) -> Iterator[str]:
        """Find mining that would never begin, besides what the base finds."""
        yield from super().check(model, cfg)
        mining, path = model.get('mining'), 'mining.begin'
        begin = (mining or {}).get('begin')
        loop = cfg.get('train_cfg') or {}
        by_hook = False
        for i, hook in enumerate(cfg.get('custom_hooks') or ()):
            kind = kind_of(hook, HOOKS)
            if hasattr(kind, 'sets_mining'):
                by_hook = True
                default = inspect.signature(kind).parameters['begin'].default
                begin, path = hook.get('begin', default), f'custom_hooks.{i}.begin'
        end = loop.get('max_epochs')
        if mining is None and by_hook:
            yield (
                f'{path.removesuffix(".begin")}: NeighborMiningHook needs neighbour '
                'mining; set model.mining=dict(topk=1), or remove the hook'
            )
        elif mining is not None and begin is None:
            yield _NO_BEGIN
        elif mining is not None and not by_hook and not _sets_epoch(loop):
            yield (
                f'mining.begin={begin}: train_cfg.type={loop.get("type")!r} does not tell '
                'the model the epoch; take ResumableTrainLoop, or custom_hooks with '
                f"dict(type='NeighborMiningHook', begin={begin})"
            )
        elif isinstance(begin, int) and isinstance(end, int) and begin >= end:
            yield (
                f'{path}={begin}: neighbour mining is never reached: the run ends at '
                f'train_cfg.max_epochs={end}; set it below, train for longer, or remove '
                'mining'
            )


def _sets_epoch(loop: Mapping) -> bool:
    """Whether a training loop calls :meth:`HiCLR.set_epoch`; unknown ones may."""
    kind = kind_of(loop, LOOPS) if loop.get('type') else EpochBasedTrainLoop
    return kind is None or kind not in (EpochBasedTrainLoop, IterBasedTrainLoop)
