"""The projector between encoder and contrast."""

from __future__ import annotations

from typing import Annotated

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..modules import check_pool, pool_skeleton, pooled_channels


@MODELS.register_module()
class SkeletonProjector(BaseModule):
    """Pool a feature map and project it (MoCo v2's MLP: linear, ReLU, linear).

    Args:
        in_channels (int): Width of the backbone, ``C``.
        out_channels (int): Embedding size, ``D``.
        hid_channels (int, optional): Hidden width; ``in_channels`` by default.
        init_cfg (dict | list[dict], optional): Initialisation.
        pool (dict, optional): ``time`` and ``joints``, what the pooling keeps apart, as in
            :func:`~hiclr_mmaction.models.modules.pool_skeleton`. None: nothing, as
            released.
        num_joints (int, optional): Joints of the layout; needed by ``pool.joints``.
        norm (bool): Whether batch norm stands before the ReLU, as in the expanders of
            VICReg and Barlow Twins. Off, as in MoCo v2.

    Raises:
        ValueError: If a width or ``pool`` is out of range.
    """

    def __init__(
        self,
        in_channels: int = 256,
        out_channels: int = 128,
        hid_channels: int | None = None,
        init_cfg: dict | list[dict] | None = None,
        pool: Annotated[dict, check_pool] | None = None,
        num_joints: int | None = None,
        norm: bool = False,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        hid_channels = in_channels if hid_channels is None else hid_channels
        if min(in_channels, hid_channels, out_channels) < 1:
            raise ValueError(
                f'SkeletonProjector: in_channels={in_channels}, hid_channels='
                f'{hid_channels}, out_channels={out_channels}; all must be at least 1.'
            )
        self.pool = dict(pool or {})
        pooled = pooled_channels(in_channels, num_joints, **self.pool)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.mlp = nn.Sequential(
            nn.Linear(pooled, hid_channels),
            *([nn.BatchNorm1d(hid_channels)] if norm else []),
            nn.ReLU(inplace=True),
            nn.Linear(hid_channels, out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Project ``(N, M, C, T, V)`` to ``(N, D)``, not yet of unit length.

        Computed in float32 also in mixed precision: early in training clips differ by less
        than eight bits of mantissa resolve.
        """
        if x.shape[2] != self.in_channels:
            raise ValueError(
                f'neck.in_channels={self.in_channels}, but the backbone gives '
                f'{x.shape[2]} channels; make them equal.'
            )
        x = pool_skeleton(x, **self.pool)
        with torch.autocast(x.device.type, enabled=False):
            return self.mlp(x.to(next(self.mlp.parameters())))
