"""The losses and the decoder of PCM3."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from .hierarchical_contrast_head import SIMILARITIES, HierarchicalContrastHead


@MODELS.register_module()
class PCM3Head(BaseModule):
    r"""Contrast of an ordinary, a mixed, a masked and a predicted view, and prediction.

    With :math:`L(z, k)` the InfoNCE loss of an embedding :math:`z` and its key, and
    :math:`p_\tau(z)` the softmax of its cosines to the queue over :math:`\tau`, the loss is

    .. math::

        L(z, k) + w_{mix} [\lambda L(z_{mix}, k) + (1 - \lambda) L(z_{mix}, k')]
        + \sum_{v \in \{mask, pred\}} w_v [L(z_v, k) - p_{\tau_k}(k) \log p_{\tau_q}(z_v)]
        + w_{rec} \lVert \hat x - x \rVert^2

    where :math:`k'` is the key of the clip that was mixed in, :math:`\lambda` the part of
    the clip that was kept, and the last term is the mean over masked coordinates (PCM3, ACM
    MM 2023, arXiv 2308.03975). The third is a KL divergence up to a constant.

    The decoder is an MLP on each position, linear interpolation to the frames of the clip
    and a convolution in time.

    Args:
        in_channels (int): Width of the backbone, ``C'``.
        hid_channels (int): Hidden width of the decoder.
        out_channels (int): Channels of a clip, ``C``.
        temperature (float): Of InfoNCE.
        student_temperature (float): :math:`\tau_q`.
        teacher_temperature (float): :math:`\tau_k`.
        mixed_weight (float): Weight of the mixed view; 0: there is none.
        masked_weight (float): Weight of the masked view.
        predicted_weight (float): Weight of the predicted view.
        prediction_weight (float): Weight of the squared error, in the square of the
            clip's unit.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        in_channels: int = 256,
        hid_channels: int = 64,
        out_channels: int = 3,
        temperature: float = 0.07,
        student_temperature: float = 0.1,
        teacher_temperature: float = 0.05,
        mixed_weight: float = 1.0,
        masked_weight: float = 1.0,
        predicted_weight: float = 1.0,
        prediction_weight: float = 10.0,
    ) -> None:
        super().__init__()
        self.contrast = HierarchicalContrastHead(temperature, level_weights=(1.0,))
        self.temperatures = dict(
            student=student_temperature, teacher=teacher_temperature
        )
        for name, value in self.temperatures.items():
            if not 0 < value < math.inf:
                raise ValueError(
                    f'{name}_temperature={value} is not positive; give a number above 0, '
                    'such as 0.1.'
                )
        self.weights = dict(
            mixed=mixed_weight,
            masked=masked_weight,
            predicted=predicted_weight,
            prediction=prediction_weight,
        )
        for name, weight in self.weights.items():
            if not 0 <= weight < math.inf:
                raise ValueError(
                    f'{name}_weight={weight} is out of range; give a number, 0 or more.'
                )
        if min(in_channels, hid_channels, out_channels) < 1:
            raise ValueError(
                f'PCM3Head: in_channels={in_channels}, hid_channels={hid_channels}, '
                f'out_channels={out_channels}; all must be at least 1.'
            )
        self.in_channels = in_channels
        self.project = nn.Conv2d(in_channels, hid_channels, 1)
        self.read = nn.Conv2d(
            hid_channels, out_channels, (3, 1), padding=(1, 0), bias=False
        )
        # The prediction begins as 0, the value of masked joints.
        nn.init.zeros_(self.read.weight)

    def decode(self, x: Tensor, frames: int, prompt: Tensor | float = 0.0) -> Tensor:
        """Coordinates ``(N, M, T, V, C)`` of a map ``(N, M, C', T', V)``, in float32.

        Args:
            x (Tensor): The map.
            frames (int): ``T``.
            prompt (Tensor | float): ``(C', 1, V)``, is added to the map.

        Raises:
            ValueError: If the map has not ``in_channels`` channels.
        """
        if x.shape[2] != self.in_channels:
            raise ValueError(
                f'head.in_channels={self.in_channels}, but the backbone gives '
                f'{x.shape[2]} channels; make them equal.'
            )
        x = x + prompt
        with torch.autocast(x.device.type, enabled=False):
            out = F.relu(self.project(x.flatten(0, 1).to(self.project.weight)))
            size = frames, x.shape[-1]
            out = F.interpolate(out, size, mode='bilinear', align_corners=False)
            # Scaled: a step of SGD changes it as much whatever the width.
            out = self.read(out / out.shape[1] ** 0.5)
        return out.unflatten(0, x.shape[:2]).permute(0, 1, 3, 4, 2)

    def loss(
        self,
        query: Tensor,
        masked: Tensor,
        predicted: Tensor,
        key: Tensor,
        queue: Tensor,
        mixed: tuple[Tensor, Tensor, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Losses of contrast and monitors of a batch.

        Args:
            query (Tensor): Embeddings of the ordinary view, ``(N, D)``, of unit length.
            masked (Tensor): Of the masked view.
            predicted (Tensor): Of the predicted view.
            key (Tensor): Of the key view, without a gradient.
            queue (Tensor): Negatives, ``(K, D)``.
            mixed (tuple[Tensor, Tensor, Tensor], optional): Embeddings of the mixed view,
                key embeddings of the clips mixed in, and the part of the clip that was
                kept, ``(N,)``.

        Returns:
            dict: ``loss_contrast``, ``loss_masked``, ``loss_predicted`` and, with a mixed
            view, ``loss_mixed``, weighted; and detached ``contrast_accuracy`` and
            ``feature_spread``, see :meth:`HierarchicalContrastHead.loss`.
        """
        losses = self.contrast.loss([query], key, queue)
        views = dict(masked=masked, predicted=predicted)
        own, *others = self.contrast.logits([key, *views.values()], key, queue)
        teacher = self._over_queue(own, 'teacher')
        for name, logits in zip(views, others, strict=True):
            pull = SIMILARITIES['kl'](self._over_queue(logits, 'student'), teacher)
            losses[f'loss_{name}'] = self.weights[name] * (_nce(logits).mean() + pull)
        if mixed is not None:
            embedding, partner, kept = mixed
            (first,) = self.contrast.logits([embedding], key, queue)
            (second,) = self.contrast.logits([embedding], partner, queue)
            both = kept * _nce(first) + (1 - kept) * _nce(second)
            losses['loss_mixed'] = self.weights['mixed'] * both.mean()
        return losses

    def prediction_loss(
        self, prediction: Tensor, target: Tensor, where: Tensor
    ) -> dict[str, Tensor]:
        """The error of the predicted coordinates.

        Args:
            prediction (Tensor): ``(N, M, T, V, C)``.
            target (Tensor): The same of the whole view.
            where (Tensor): Which coordinates count, bool, of the same shape.

        Returns:
            dict: ``loss_prediction``, the mean over the clips of their means, weighted.
        """
        error = (prediction - target).square() * where
        count = where.flatten(1).sum(1).clamp(min=1)
        error = (error.flatten(1).sum(1) / count).mean()
        return dict(loss_prediction=self.weights['prediction'] * error)

    def _over_queue(self, logits: Tensor, who: str) -> dict[str, Tensor]:
        """The distribution over the queue, without the key, at a temperature."""
        sharper = self.contrast.temperature / self.temperatures[who]
        return dict(log_prob=F.log_softmax(logits[:, 1:] * sharper, dim=1))


def _nce(logits: Tensor) -> Tensor:
    """InfoNCE of each clip, whose key is the first entry."""
    return -F.log_softmax(logits, dim=1)[:, 0]
