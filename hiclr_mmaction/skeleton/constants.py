"""Constants on a device."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=64)
def constant(values: tuple, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A constant on a device, copied there once: a GPU waits for such a copy."""
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)
