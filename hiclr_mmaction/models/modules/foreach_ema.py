"""The average of weights, without waiting for the device."""

from __future__ import annotations

import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn


class ForeachEMA(ExponentialMovingAverage):
    """mmengine's :class:`ExponentialMovingAverage`, all weights in one call.

    mmengine reads its step counter, which is on the device, twice at each update, and
    averages tensor by tensor. State and results are the same.
    """

    _started = False

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take in the weights; copy them at the first update, and buffers always."""
        self._started = self._started or bool(self.steps)
        average: list[torch.Tensor] = [*self.module.parameters()]
        source: list[torch.Tensor] = [*model.parameters()]
        if self._started:
            torch._foreach_lerp_(average, source, self.momentum)
        else:
            torch._foreach_copy_(average, source)
            self._started = True
        for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
        self.steps += 1

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._started = False  # the loaded counter tells
