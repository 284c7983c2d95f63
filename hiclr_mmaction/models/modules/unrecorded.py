"""A forward pass that leaves running statistics as they are."""

from __future__ import annotations

from torch import Tensor, nn
from torch.func import functional_call


def forward_unrecorded(module: nn.Module, x: Tensor) -> Tensor:
    """Run a module; its buffers, such as batch norm's running statistics, stay."""
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    return functional_call(module, buffers, (x,))
