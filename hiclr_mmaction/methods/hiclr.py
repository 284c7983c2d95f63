"""HiCLR: hierarchical consistent contrastive learning of skeleton encoders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.logging import print_log
from torch import Tensor, nn

from ..models.modules import (
    EdgePerturbation,
    HostValue,
    NeighborMining,
    check_layers,
    fill_masked,
    keep_absent,
)
from .base import QueueLearner

_NO_BEGIN = (
    'mining has no begin, so that neighbours would never be mined; set '
    'model.mining.begin to an epoch (0: the first), or model.mining=None.'
)


@MODELS.register_module()
class HiCLR(QueueLearner):
    """HiCLR (AAAI 2023, arXiv 2211.13466) around any GCN backbone of MMAction2.

    The views of a clip grow in strength. The weakest is contrasted with the key view
    against a queue; each stronger one is pulled towards the one below it.

    Args:
        backbone (dict): Backbone, ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        neck (dict): Projector, to ``(N, D)``; e.g. :class:`SkeletonProjector`.
        head (dict): The losses; e.g. :class:`HierarchicalContrastHead`.
        queue_size (int): Number of negatives, at least the batch of all ranks. In a
            config None is half of the training clips (:meth:`fill`).
        momentum (float): Share of the query encoder in each update of the key
            encoder; 0.001 is 0.999 in the paper.
        mining (dict, optional): Arguments of :class:`NeighborMining` (``topk``,
            ``begin``; the released recipe has 1 and 150). :class:`NeighborMiningHook`
            may set ``begin`` instead.
        graph_augment (dict, optional): Arguments of :class:`EdgePerturbation`
            (``drop``, ``add``, ``levels``).
        mask_token (bool): Whether masked joints have a learnable value, 0 at first;
            else they are 0.
        data_preprocessor (dict, optional): Usually :class:`SkeletonViewPreprocessor`.
        init_cfg (dict | list[dict], optional): Initialisation.
        shuffle_bn (bool): Whether the clips of all ranks are shuffled for the key
            encoder and its embeddings unshuffled, as in MoCo: batch norm then does not
            reveal the pairs (:class:`BatchShuffle`). Off, as released; in one process it
            has no effect.
        pool (dict, optional): As in :class:`SkeletonLearner`.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        queue_size: int | None = 32768,
        momentum: float = 0.001,
        mining: Annotated[dict, NeighborMining] | None = None,
        graph_augment: Annotated[dict, EdgePerturbation] | None = None,
        mask_token: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        shuffle_bn: bool = False,
        pool: Annotated[dict, check_layers] | None = None,
    ) -> None:
        super().__init__(
            backbone,
            neck,
            head,
            queue_size,
            momentum,
            data_preprocessor,
            init_cfg,
            shuffle_bn,
            pool,
        )
        self.mask_token = nn.Parameter(torch.zeros(1)) if mask_token else None
        if graph_augment is not None:
            self.edge_perturbation = EdgePerturbation(self.backbone, **graph_augment)
        self.mining = None if mining is None else NeighborMining(**mining)
        if self.mining is not None and self.mining.topk > len(self.queue.features):
            raise ValueError(
                f'mining.topk={self.mining.topk} is more than queue_size={queue_size}, '
                'which the neighbours are taken from; make it smaller.'
            )
        views = getattr(self.data_preprocessor, 'views', None)
        for part in (self.head, self.edge_perturbation):
            check_levels = getattr(part, 'check_levels', None)
            if views is not None and check_levels is not None:
                check_levels(views.num_levels)
        # An integer: ranks can average it.
        self.register_buffer('_mining_active', torch.tensor(0))
        self._mining = HostValue()

    def loss(
        self, inputs: dict, data_samples: list | None = None, **kwargs
    ) -> dict[str, Tensor]:
        """Losses and monitors of a batch.

        Args:
            inputs (dict): ``key (N, M, T, V, C)``; ``queries``, a list of the same,
                weakest first; ``mask``, where the last query is masked, or a list with
                one (or None) for each query, see :func:`fill_masked`.
            data_samples (list, optional): Not used.

        Returns:
            dict: As :meth:`HierarchicalContrastHead.loss`.

        Raises:
            ValueError: If ``inputs`` are clips instead of views.
        """
        if not isinstance(inputs, dict):
            raise ValueError(
                'HiCLR.loss: inputs are clips, not views; set '
                'model.data_preprocessor.views=dict(levels=[...]).'
            )
        views = fill_masked(inputs['queries'], inputs.get('mask'), self.mask_token)
        views = keep_absent(self.backbone, views, [inputs['key'], inputs['queries'][0]])
        queries = [self.embed_query(x, i, len(views)) for i, x in enumerate(views)]
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
        """Embeddings ``(N, D)`` of a query view, edges perturbed if its level has it."""
        perturbation = self.edge_perturbation
        if perturbation is not None and perturbation.acts_on(level, num_levels):
            x = perturbation(self.backbone, x)
        else:
            x = self.backbone(x)
        return F.normalize(self.neck(x).float(), dim=1)

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
        """Find mining that would never begin."""
        mining, path = model.get('mining'), 'mining.begin'
        begin = (mining or {}).get('begin')
        for i, hook in enumerate(cfg.get('custom_hooks') or ()):
            if hook.get('type') == 'NeighborMiningHook':
                begin, path = hook.get('begin', 150), f'custom_hooks.{i}.begin'
        end = (cfg.get('train_cfg') or {}).get('max_epochs')
        if mining is not None and begin is None:
            yield _NO_BEGIN
        elif isinstance(begin, int) and isinstance(end, int) and begin >= end:
            yield (
                f'{path}={begin}: neighbour mining is never reached: the run ends at '
                f'train_cfg.max_epochs={end}; set it below, train for longer, or remove '
                'mining'
            )
