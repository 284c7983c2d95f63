"""A classifier that keeps time and joints separate."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from mmaction.models import GCNHead
from mmaction.registry import MODELS
from torch import Tensor, nn

from ...skeleton import get_layout
from ..modules import check_pool, pool_skeleton, pooled_channels


@MODELS.register_module()
class PooledGCNHead(GCNHead):
    """MMAction2's ``GCNHead`` with a pooling that keeps time and joints apart.

    Without ``pool`` it is a ``GCNHead``.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Width of the backbone, ``C``.
        pool (dict, optional): ``time``, ``joints`` and ``std``, as in
            :func:`~hiclr_mmaction.models.modules.pool_skeleton`.
        num_joints (int, optional): Joints of the layout; ``pool.joints`` needs it, or
            ``layout``.
        layout (str | dict, optional): The layout, in place of ``num_joints``.
        **kwargs: Arguments of ``GCNHead``.

    Raises:
        ValueError: If ``pool`` is out of range.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        pool: Annotated[dict, check_pool] | None = None,
        num_joints: int | None = None,
        layout: str | dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.pool_cfg = dict(pool or {})
        if num_joints is None and layout is not None:
            num_joints = get_layout(layout).num_joints
        pooled = pooled_channels(in_channels, num_joints, **self.pool_cfg)
        self.fc = nn.Linear(pooled, num_classes)

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Scores ``(N, num_classes)`` of a feature map ``(N, M, C, T, V)``.

        Raises:
            ValueError: If the map does not fit ``in_channels`` or ``num_joints``.
        """
        x = pool_skeleton(x, **self.pool_cfg)
        if x.shape[1] != self.fc.in_features:
            raise ValueError(
                f'cls_head: the pooled features have width {x.shape[1]}, but in_channels='
                f'{self.in_channels} and pool={self.pool_cfg} make '
                f'{self.fc.in_features}; set in_channels to the width of the backbone '
                'and num_joints to its joints.'
            )
        x = x.to(torch.promote_types(x.dtype, self.fc.weight.dtype))
        if self.dropout is not None:
            x = self.dropout(x)
        return self.fc(x)
