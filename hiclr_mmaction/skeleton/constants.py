"""Constants on a device."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def constant(values: tuple, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A constant on a device; on a GPU, which waits for such a copy, made once."""
    if device.type == 'cpu':
        # Not kept: under a FakeTensorMode, as of an export, it would be a fake one.
        return torch.tensor(values, dtype=dtype)
    return _made_once(values, dtype, device)


@lru_cache(maxsize=64)
def _made_once(values: tuple, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)
