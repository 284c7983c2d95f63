"""The average of weights, without waiting for the device."""

from __future__ import annotations

import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from .host_value import HostValue


class ForeachEMA(ExponentialMovingAverage):
    """mmengine's :class:`ExponentialMovingAverage`, all weights in one call.

    mmengine reads its step counter, which is on the device, twice at each update, and
    averages tensor by tensor. State and results are the same.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._steps = HostValue()

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take in the weights; copy them at the first update, and buffers always."""
        steps = self._steps.read(self.steps)
        average: list[torch.Tensor] = [*self.module.parameters()]
        source: list[torch.Tensor] = [*model.parameters()]
        if steps == 0:
            torch._foreach_copy_(average, source)
        else:
            torch._foreach_lerp_(average, source, self.momentum)
        for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
        self._steps.write(self.steps, steps + 1)
