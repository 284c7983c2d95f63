"""How the optimiser is called."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Mixed precision in bfloat16, on a GPU that has it or a CPU.

    bfloat16 has the range of float32 and needs no loss scaling, for which mmengine's
    ``AmpOptimWrapper`` requires a GPU and waits for it at each step. Without support for
    bfloat16, training uses float32, with a line in the log.

    Args:
        on_cpu (bool): Whether to use it on a CPU too, where it is rarely faster. Without
            CPU instructions for it (AVX512-BF16, AMX), a step takes three to eight times as
            long as in float32; the log warns about it.
        enabled (bool): False: train in float32.
        **kwargs: As in :class:`OptimWrapper`.
    """

    def __init__(self, on_cpu: bool = True, enabled: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        on_gpu = torch.cuda.is_available()
        there = torch.cuda.is_bf16_supported() if on_gpu else on_cpu
        self.enabled = enabled and there
        if enabled and not there:
            print_log(
                'BFloat16OptimWrapper: there is no GPU with bfloat16; training is in '
                'float32.',
                'current',
            )
        elif self.enabled and not on_gpu and not _cpu_has_bfloat16():
            print_log(
                'BFloat16OptimWrapper: this CPU has no instructions for bfloat16; a step '
                'takes several times as long as in float32. Set optim_wrapper.on_cpu=False '
                'or optim_wrapper.enabled=False.',
                'current',
                logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in bfloat16 where torch's autocast does."""
        with (
            super().optim_context(model),
            autocast(dtype=torch.bfloat16, enabled=self.enabled),
        ):
            yield


def _cpu_has_bfloat16() -> bool:
    if platform.machine() not in ('x86_64', 'AMD64'):
        return True  # torch reports x86 only
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@OPTIM_WRAPPERS.register_module()
class Float16OptimWrapper(AmpOptimWrapper):
    """Mixed precision in float16 with loss scaling, on a CPU too.

    On a GPU it is mmengine's ``AmpOptimWrapper``, which refuses a CPU. There float16 is
    many times slower than float32: this is to see what it does to a training, and to test
    it, on a machine without a GPU.

    Args:
        loss_scale (str | float | dict): ``'dynamic'``, the scale that is kept, or the
            arguments of :class:`torch.amp.GradScaler`. Defaults to ``'dynamic'``.
        **kwargs: As in :class:`mmengine.optim.OptimWrapper`.

    Raises:
        ValueError: If ``loss_scale`` is none of these.
    """

    def __init__(self, loss_scale: str | float | dict = 'dynamic', **kwargs) -> None:
        if isinstance(loss_scale, int):
            loss_scale = float(loss_scale)  # mmengine takes no int
        if loss_scale != 'dynamic' and not isinstance(loss_scale, float | dict):
            raise ValueError(
                f"optim_wrapper.loss_scale={loss_scale!r}; give 'dynamic', a number, or "
                'the arguments of torch.amp.GradScaler as a dict.'
            )
        if torch.cuda.is_available():
            super().__init__(loss_scale=loss_scale, dtype=torch.float16, **kwargs)
            return
        OptimWrapper.__init__(self, **kwargs)
        self.cast_dtype = torch.float16
        self._scale_update_param = None
        scaler: dict = {}
        if isinstance(loss_scale, dict):
            scaler = loss_scale
        elif loss_scale != 'dynamic':
            self._scale_update_param = loss_scale
            scaler = dict(init_scale=loss_scale)
        self.loss_scaler = torch.amp.GradScaler('cpu', **scaler)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in float16 where torch's autocast does."""
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        with (
            OptimWrapper.optim_context(self, model),
            torch.autocast(device, torch.float16),  # mmengine's takes none on a CPU
        ):
            yield
