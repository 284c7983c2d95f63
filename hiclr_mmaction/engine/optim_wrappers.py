"""How the optimiser is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Mixed precision in bfloat16, on a GPU or a CPU.

    Its range is that of float32, so that there is no loss scaling, for which mmengine's
    ``AmpOptimWrapper`` needs a GPU. Takes the arguments of ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in bfloat16 where torch's autocast does."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
