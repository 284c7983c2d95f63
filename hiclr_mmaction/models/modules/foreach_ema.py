"""The average of weights, without waiting for the device."""

from __future__ import annotations

import torch
from mmengine.model import ExponentialMovingAverage
from torch import Tensor, nn


class HostValue:
    """The value of a buffer of one element, without waiting for the device each time.

    The buffer alone is the state: its count of writes (``Tensor._version``) shows
    whether it has to be read again, after loading or restoring it for example.
    """

    def __init__(self) -> None:
        self._tensor: Tensor | None = None
        self._version = -1
        self._value = 0

    def read(self, tensor: Tensor) -> int:
        """The value of ``tensor``."""
        if self._tensor is not tensor or self._version != tensor._version:
            self._remember(tensor, int(tensor))
        return self._value

    def write(self, tensor: Tensor, value: int) -> None:
        """Set ``tensor`` to ``value``."""
        self._remember(tensor.fill_(value), value)

    def _remember(self, tensor: Tensor, value: int) -> None:
        self._tensor, self._version, self._value = tensor, tensor._version, value


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
        average: list[Tensor] = [*self.module.parameters()]
        source: list[Tensor] = [*model.parameters()]
        if steps == 0:
            torch._foreach_copy_(average, source)
        else:
            torch._foreach_lerp_(average, source, self.momentum)
        for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
        self._steps.write(self.steps, steps + 1)
