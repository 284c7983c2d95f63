"""A predictor that keeps the feature map."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn


@MODELS.register_module()
class SkeletonPredictor(BaseModule):
    """Predict a feature map from another, position by position (an MLP with batch norm).

    Args:
        in_channels (int): Width of the backbone, ``C``.
        hid_channels (int, optional): Hidden width; ``2 * in_channels`` by default.
        init_cfg (dict | list[dict], optional): Initialisation.
    """

    def __init__(
        self,
        in_channels: int = 256,
        hid_channels: int | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.in_channels = in_channels
        hid_channels = hid_channels or 2 * in_channels
        self.mlp = nn.Sequential(
            nn.Conv2d(in_channels, hid_channels, 1),
            nn.BatchNorm2d(hid_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(hid_channels, in_channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, M, C, T, V)`` to the same shape, in float32."""
        if x.shape[2] != self.in_channels:
            raise ValueError(
                f'neck.in_channels={self.in_channels}, but the backbone gives '
                f'{x.shape[2]} channels; make them equal.'
            )
        with torch.autocast(x.device.type, enabled=False):
            out = self.mlp(x.flatten(0, 1).to(next(self.mlp.parameters())))
        return out.unflatten(0, x.shape[:2])
