"""Decorrelation of growing views: VICReg and Barlow Twins on skeletons."""

from __future__ import annotations

from typing import Annotated

import torch
from mmaction.registry import MODELS
from mmengine.dist import get_world_size
from torch import Tensor, nn

from ..models.modules import EdgePerturbation, check_layers, fill_masked, keep_absent
from .base import SkeletonLearner


@MODELS.register_module()
class SkeletonVICReg(SkeletonLearner):
    """VICReg (ICLR 2022, arXiv 2105.04906) or Barlow Twins with views of growing strength.

    The key view and the weakest query go through the same encoder. The loss makes their
    embeddings equal, and keeps the coordinates of the embeddings varying and uncorrelated
    over the batch. As in HiCLR, each stronger view is pulled one way towards the next
    weaker one. There are no negatives, no queue and no second encoder.

    Args:
        backbone (dict): Backbone, ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        neck (dict): Projector, to ``(N, D)``, wider than the backbone; e.g.
            :class:`SkeletonProjector` with ``norm``.
        head (dict): The losses; e.g. :class:`DecorrelationHead`.
        graph_augment (dict, optional): Arguments of :class:`EdgePerturbation`
            (``drop``, ``add``, ``levels``).
        mask_token (bool): Whether masked joints have a learnable value, 0 at first;
            else they are 0.
        data_preprocessor (dict, optional): Usually :class:`SkeletonViewPreprocessor`.
        init_cfg (dict | list[dict], optional): Initialisation.
        pool (dict, optional): As in :class:`SkeletonLearner`.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        graph_augment: Annotated[dict, EdgePerturbation] | None = None,
        mask_token: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        pool: Annotated[dict, check_layers] | None = None,
    ) -> None:
        super().__init__(backbone, neck, head, data_preprocessor, init_cfg, pool)
        self.mask_token = nn.Parameter(torch.zeros(1)) if mask_token else None
        if graph_augment is not None:
            self.edge_perturbation = EdgePerturbation(self.backbone, **graph_augment)
        views = getattr(self.data_preprocessor, 'views', None)
        for part in (self.head, self.edge_perturbation):
            if views is not None and part is not None:
                part.check_levels(views.num_levels)

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
            dict: As :meth:`DecorrelationHead.loss`.

        Raises:
            ValueError: If ``inputs`` are clips instead of views.
        """
        if not isinstance(inputs, dict):
            raise ValueError(
                'SkeletonVICReg.loss: inputs are clips, not views; set '
                'model.data_preprocessor.views=dict(levels=[...]).'
            )
        key = self.neck(self.backbone(inputs['key']))
        views = fill_masked(inputs['queries'], inputs.get('mask'), self.mask_token)
        views = keep_absent(self.backbone, views, [inputs['key'], inputs['queries'][0]])
        queries = [self.embed_query(x, i, len(views)) for i, x in enumerate(views)]
        return self.head.loss(queries, key)

    def embed_query(self, x: Tensor, level: int = 0, num_levels: int = 1) -> Tensor:
        """Embeddings ``(N, D)`` of a query view, edges perturbed if its level has it."""
        perturbation = self.edge_perturbation
        if perturbation is not None and perturbation.acts_on(level, num_levels):
            return self.neck(perturbation(self.backbone, x))
        return self.neck(self.backbone(x))

    def check_data(self, num_clips: int, batch_size: int) -> None:
        """Check that each process has two clips or more in a step."""
        ranks = get_world_size()
        if batch_size < 2 * ranks:
            raise ValueError(
                f'{batch_size} clip(s) in a step on {ranks} process(es): variance needs 2 '
                'or more in each; make train_dataloader.batch_size larger.'
            )
