"""HiCLR: hierarchical consistent contrastive learning of skeleton encoders."""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..models.modules import (
    BatchShuffle,
    EdgePerturbation,
    FeatureQueue,
    ForeachEMA,
    pool_skeleton,
    present_bodies,
)


@MODELS.register_module()
class HiCLR(BaseRecognizer):
    """HiCLR (AAAI 2023, arXiv 2211.13466) around any GCN backbone of MMAction2.

    The views of a clip grow in strength. The weakest is contrasted with the key view
    against a queue; each stronger one is pulled towards the one below it.

    Args:
        backbone (dict): Backbone, ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        neck (dict): Projector, to ``(N, D)``; e.g. :class:`SkeletonProjector`.
        head (dict): The losses; e.g. :class:`HierarchicalContrastHead`.
        queue_size (int): Number of negatives, at least the batch of all ranks.
        momentum (float): Part of the query encoder that the key encoder takes in at
            each step; 0.001 is what the paper calls 0.999.
        mining (dict, optional): ``topk``, the queue entries of each query level that
            become positives once :class:`NeighborMiningHook` turns mining on.
        graph_augment (dict, optional): Arguments of :class:`EdgePerturbation`
            (``drop``, ``add``, ``levels``).
        mask_token (bool): Whether masked joints have a learnable value, 0 at first;
            else they are 0.
        data_preprocessor (dict, optional): Usually :class:`SkeletonViewPreprocessor`.
        init_cfg (dict | list[dict], optional): Initialisation.
        shuffle_bn (bool): Whether the clips of all ranks are shuffled for the key
            encoder and its embeddings put back, as in MoCo, so that batch norm tells
            nothing of the pairs (:class:`BatchShuffle`). Off, as released: that ran in
            one process, where it changes nothing.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        queue_size: int = 32768,
        momentum: float = 0.001,
        mining: dict | None = None,
        graph_augment: dict | None = None,
        mask_token: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        shuffle_bn: bool = False,
    ) -> None:
        if data_preprocessor is None:
            data_preprocessor = dict(type='SkeletonViewPreprocessor')
        super().__init__(
            backbone=backbone,
            neck=neck,
            # Built here: mmengine would look for it in its own registry when no
            # default scope is set, as outside of a Runner.
            data_preprocessor=MODELS.build(data_preprocessor),
        )
        self.init_cfg = init_cfg
        if not 0 < momentum < 1:
            raise ValueError(
                f'momentum={momentum} is not between 0 and 1; it is the part of the query '
                'encoder that the key encoder takes in (0.001 for an EMA of 0.999).'
            )
        self.head = MODELS.build(head)
        self.key_encoder = ForeachEMA(self.query_encoder, momentum)
        self.shuffle_bn = shuffle_bn
        self.queue = FeatureQueue(queue_size, self.neck.out_channels)
        self.mask_token = nn.Parameter(torch.zeros(1)) if mask_token else None
        self.edge_perturbation = (
            None
            if graph_augment is None
            else EdgePerturbation(self.backbone, **graph_augment)
        )
        self.num_neighbors = 0 if mining is None else self._check_mining(**mining)
        # An integer, for a mean over ranks of a bool is none.
        self.register_buffer('_mining_active', torch.tensor(0))
        self._mining = False

    @property
    def query_encoder(self) -> nn.Sequential:
        """Backbone and neck, as the key encoder averages them."""
        return nn.Sequential(OrderedDict(backbone=self.backbone, neck=self.neck))

    @property
    def mining_active(self) -> bool:
        """Whether neighbours are mined; set by a hook, saved in the state."""
        return self._mining

    @mining_active.setter
    def mining_active(self, active: bool) -> None:
        if active and not self.num_neighbors:
            raise ValueError(
                'neighbour mining is turned on, but the model has mining=None; set '
                'model.mining=dict(topk=1), or remove NeighborMiningHook.'
            )
        self._mining = bool(active)
        self._mining_active.fill_(int(active))

    def loss(self, inputs: dict, data_samples: list | None = None, **kwargs) -> dict:
        """Losses and monitors of a batch.

        Args:
            inputs (dict): ``key (N, M, T, V, C)``; ``queries``, a list of the same,
                weakest first; ``mask``, a bool ``(N, T, V)`` that is true where the
                last query is masked, or a list with one (or None) a query, or None.
            data_samples (list, optional): Not used: nothing is learnt from labels.

        Returns:
            dict: As :meth:`HierarchicalContrastHead.loss`.

        Raises:
            ValueError: If ``inputs`` are clips, of which nobody made views.
        """
        if not isinstance(inputs, dict):
            raise ValueError(
                'HiCLR.loss: inputs are clips, not views; add GrowingAugmentation to '
                'train_dataloader.dataset.pipeline, or set '
                'model.data_preprocessor.views=dict(levels=[...]).'
            )
        views = self._mask(inputs['queries'], inputs.get('mask'))
        if getattr(self.backbone, 'skip_absent', False):
            # The views before any noise tell who is there; a mask makes no body either.
            weakest = (inputs['key'], inputs['queries'][0])
            present = torch.stack([present_bodies(x) for x in weakest]).any(0)
            views = [x * present[..., None, None, None] for x in views]
        queries = [self._embed_query(x, i, len(views)) for i, x in enumerate(views)]
        key = self._embed_key(inputs['key'])
        losses = self.head.loss(
            queries,
            key,
            self.queue.features.clone(),  # backward needs it as it is now
            num_neighbors=self.num_neighbors if self.mining_active else 0,
        )
        self.queue.enqueue(key)
        return losses

    def predict(
        self, inputs: Tensor, data_samples: list | None = None, **kwargs
    ) -> Tensor:
        """Pooled backbone features ``(N, C)`` of clips ``(N, M, T, V, C)``."""
        return self.extract_feat(inputs)

    def _forward(self, inputs: Tensor, **kwargs) -> Tensor:
        return self.extract_feat(inputs)

    def extract_feat(self, inputs: Tensor, **kwargs) -> Tensor:
        """Pooled backbone features ``(N, C)`` of clips ``(N, M, T, V, C)``."""
        return pool_skeleton(self.backbone(inputs))

    def _mask(self, views: list[Tensor], mask: Tensor | list | None) -> list[Tensor]:
        """Put the mask's value where joints are masked, and 0 where they have a score."""
        masks = mask if isinstance(mask, list) else [None] * (len(views) - 1) + [mask]
        value = views[0].new_zeros(1) if self.mask_token is None else self.mask_token
        layout = getattr(self.data_preprocessor, 'layout', None)
        if getattr(layout, 'coordinates', None) == '2d':
            value = value * (torch.arange(3, device=value.device) < 2)
        views = [
            x if m is None else torch.where(m[:, None, :, :, None], value.to(x), x)
            for x, m in zip(views, masks, strict=True)
        ]
        if self.mask_token is not None and all(m is None for m in masks):
            # Keeps the parameter in the graph: DDP waits for the gradient of each.
            views[-1] = views[-1] + 0 * self.mask_token
        return views

    def _embed_query(self, x: Tensor, level: int, num_levels: int) -> Tensor:
        perturbation = self.edge_perturbation
        if perturbation is not None and {level, level - num_levels} & set(
            perturbation.levels
        ):
            x = perturbation(self.backbone, x)
        else:
            x = self.backbone(x)
        return F.normalize(self.neck(x).float(), dim=1)

    @torch.no_grad()
    def _embed_key(self, x: Tensor) -> Tensor:
        self.key_encoder.update_parameters(self.query_encoder)
        if not self.shuffle_bn:
            return F.normalize(self.key_encoder(x).float(), dim=1)
        batch = BatchShuffle(len(x), x.device)
        key = self.key_encoder(batch.shuffle(x))
        return F.normalize(batch.unshuffle(key).float(), dim=1)

    @staticmethod
    def _check_mining(topk: int = 1) -> int:
        if topk < 1:
            raise ValueError(f'mining.topk={topk}; at least 1 neighbour must be taken.')
        return topk

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        # Read once here: in a step it would wait for the device.
        self._mining = bool(self._mining_active)
