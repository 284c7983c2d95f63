"""Masked latent prediction: predict a teacher's features of masked joints."""

from __future__ import annotations

from typing import Annotated

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.func import functional_call

from ..models.modules import (
    ForeachEMA,
    check_layers,
    fill_masked,
    keep_absent,
    present_persons,
)
from .base import SkeletonLearner

_NO_MASK = (
    'MaskedLatentPrediction: no joint is masked; end '
    "model.data_preprocessor.views.levels with dict(type='SkeletonJointMask', ratio=0.5)."
)


@MODELS.register_module()
class MaskedLatentPrediction(SkeletonLearner):
    """Predict the latents of masked joints, after S-JEPA (ECCV 2024) and data2vec.

    A teacher, the moving average of the encoder, sees a full view. The encoder sees the
    same view with some joints masked, and the neck predicts the teacher's feature map at
    the masked joints. Only the last query view is used.

    Unlike S-JEPA's transformer, which takes only the visible joints, a GCN takes the whole
    graph: masked joints have a learnable value at its input, as in data2vec (ICML 2022,
    arXiv 2202.03555). Targets are of the last layer, and joints are masked at random.

    Since the encoder will be used on full clips, it keeps the running statistics of the
    teacher, not those of masked clips.

    Args:
        backbone (dict): Backbone, ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        neck (dict): Predictor of maps; e.g. :class:`SkeletonPredictor`.
        head (dict): The loss; e.g. :class:`LatentPredictionHead`.
        momentum (float): Share of the encoder in each update of the teacher.
        data_preprocessor (dict, optional): Usually :class:`SkeletonViewPreprocessor`.
        init_cfg (dict | list[dict], optional): Initialisation.
        pool (dict, optional): As in :class:`SkeletonLearner`.

    Raises:
        ValueError: If an argument is out of range, or no view is masked.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        momentum: float = 0.001,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        pool: Annotated[dict, check_layers] | None = None,
    ) -> None:
        if not 0 < momentum < 1:
            raise ValueError(
                f'momentum={momentum} is not between 0 and 1; it is the part of the '
                'encoder that the teacher takes in (0.001 for an EMA of 0.999).'
            )
        super().__init__(backbone, neck, head, data_preprocessor, init_cfg, pool)
        self.teacher = ForeachEMA(self.backbone, momentum)
        self.mask_token = nn.Parameter(torch.zeros(1))
        views = getattr(self.data_preprocessor, 'views', None)
        if views is not None and not any(t.masks_joints for t in sum(views.levels, [])):
            raise ValueError(_NO_MASK)

    def loss(
        self, inputs: dict, data_samples: list | None = None, **kwargs
    ) -> dict[str, Tensor]:
        """Loss and monitors of a batch.

        Args:
            inputs (dict): ``queries``, unmasked views ``(N, M, T, V, C)``; the last one is
                used. ``mask``, the joints to mask, bool ``(N, T, V)`` or
                ``(N, T, V, C)``, or a list with this mask as its last entry.
            data_samples (list, optional): Not used.

        Returns:
            dict: As :meth:`LatentPredictionHead.loss`.

        Raises:
            ValueError: If ``inputs`` are clips instead of views, or there is no mask.
        """
        if not isinstance(inputs, dict):
            raise ValueError(
                'MaskedLatentPrediction.loss: inputs are clips, not views; set '
                'model.data_preprocessor.views=dict(levels=[...]).'
            )
        whole, mask = inputs['queries'][-1], inputs.get('mask')
        if isinstance(mask, list):
            mask = mask[-1]
        if mask is None:
            raise ValueError(_NO_MASK)
        target = self.embed_whole(whole)
        views = fill_masked([whole], mask, self.mask_token)
        (masked,) = keep_absent(self.backbone, views, [whole])
        prediction = self.neck(self.embed_masked(masked))
        present: Tensor | None = present_persons(whole)
        if whole.shape[1] != target.shape[1]:  # averaged over persons already
            present = None
        mask = mask.any(-1) if mask.dim() == 4 else mask
        return self.head.loss(prediction, target, mask, present)

    @torch.no_grad()
    def embed_whole(self, x: Tensor) -> Tensor:
        """The teacher's feature map ``(N, M, C', T', V)`` of a whole view.

        The encoder takes the teacher's running statistics.
        """
        self.teacher.update_parameters(self.backbone)
        target = self.teacher(x)
        buffers = self.teacher.module.buffers()
        for mine, theirs in zip(self.backbone.buffers(), buffers, strict=True):
            mine.copy_(theirs)
        return target

    def embed_masked(self, x: Tensor) -> Tensor:
        """The encoder's feature map of a masked view; running statistics stay."""
        buffers = {name: value.clone() for name, value in self.backbone.named_buffers()}
        return functional_call(self.backbone, buffers, (x,))

    @property
    def encoders(self) -> dict[str, nn.Module]:
        """The backbone and its average."""
        return {'backbone': self.backbone, 'teacher.module': self.teacher.module}
