"""Arrays that the released code computed."""

from __future__ import annotations

import numpy as np
import torch

from .paths import DATA


def load_reference(name: str) -> dict[str, torch.Tensor]:
    """The arrays of a file of ``tests/data`` as float32 (or integer) tensors.

    Clips are turned from the released code's (N,) C, T, V, M into (N,) M, T, V, C.
    """
    out = {}
    with np.load(DATA / f'{name}.npz') as arrays:
        for key in arrays.files:
            if arrays[key].dtype.kind not in 'fi':
                continue
            value = torch.from_numpy(arrays[key])
            if value.is_floating_point():
                value = (
                    value.double() if value.dtype == torch.float64 else value.float()
                )
            if value.shape[-2:] == (25, 2):
                value = value.permute(*range(value.dim() - 4), -1, -3, -2, -4)
            out[key] = value.contiguous()
    return out
