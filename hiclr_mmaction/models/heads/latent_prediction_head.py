"""The loss of masked latent prediction."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.dist import all_reduce
from mmengine.model import BaseModule
from torch import Tensor

from ..modules import feature_spread, pool_skeleton


@MODELS.register_module()
class LatentPredictionHead(BaseModule):
    """Distance of predicted and standardised latents where the clip was masked.

    The target has mean 0 and variance 1 in each channel, over the clips of all ranks,
    frames and joints, so that a constant does not predict it (S-JEPA centres, data2vec
    normalises). The distance is data2vec's smooth L1 (arXiv 2202.03555, equation 2).

    Args:
        beta (float): The distance is quadratic below ``beta`` and linear above it.

    Raises:
        ValueError: If ``beta`` is out of range.
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        if not 0 <= beta < math.inf:
            raise ValueError(f'beta={beta} is out of range; give a number, 0 or more.')
        self.beta = beta

    def loss(
        self,
        prediction: Tensor,
        target: Tensor,
        mask: Tensor,
        present: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Loss and monitors of a batch.

        Args:
            prediction (Tensor): ``(N, M, C, T', V)``.
            target (Tensor): The same of the whole clip, without a gradient.
            mask (Tensor): Where frames of the clip were masked, bool ``(N, T, V)``. A
                frame of the map counts by the share of its frames that were.
            present (Tensor, optional): Which persons count, bool ``(N, M)``; all by
                default.

        Returns:
            dict: ``loss_latent``; and detached ``latent_cosine`` (of prediction and target,
            where masked, all channels together; 1: equal up to scale) and
            ``feature_spread`` (of the teacher's pooled features; 0: collapsed).
        """
        n, m, _, frames, joints = target.shape
        if present is None:
            present = target.new_ones(n, m, dtype=torch.bool)
        spread = feature_spread(F.normalize(pool_skeleton(target), dim=1))
        with torch.autocast(target.device.type, enabled=False):
            persons = present[:, :, None, None, None].float()
            target = standardize(target.float(), persons)
            share = F.adaptive_avg_pool2d(mask.float(), (frames, joints))
            weight = share[:, None, None] * persons
            prediction = prediction.float()
            error = F.smooth_l1_loss(
                prediction, target, reduction='none', beta=self.beta
            )
            loss = (weight * error).sum() / (weight.sum() * error.shape[2]).clamp(min=1)
            with torch.no_grad():
                guess, right = prediction * weight, target * weight
                cosine = F.cosine_similarity(guess.flatten(), right.flatten(), dim=0)
        return dict(loss_latent=loss, latent_cosine=cosine, feature_spread=spread)


@torch.no_grad()
def standardize(x: Tensor, weight: Tensor) -> Tensor:
    """Give each channel mean 0 and variance 1, over the clips of all ranks.

    Args:
        x (Tensor): ``(N, M, C, T, V)``.
        weight (Tensor): How much each person counts, ``(N, M, 1, 1, 1)``.
    """
    count = weight.sum().reshape(1) * x.shape[3] * x.shape[4]

    def mean(y: Tensor) -> Tensor:
        sums = torch.cat([(weight * y).sum((0, 1, 3, 4)), count])
        all_reduce(sums)
        return (sums[:-1] / sums[-1].clamp(min=1)).view(1, 1, -1, 1, 1)

    x = x - mean(x)
    return x / (mean(x.square()) + 1e-5).sqrt()
