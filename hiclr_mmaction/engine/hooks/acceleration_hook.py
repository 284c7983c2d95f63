"""Speed-ups for a GPU."""

from __future__ import annotations

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import print_log
from torch import nn

from ...models.modules import bare_model


@HOOKS.register_module()
class AccelerationHook(Hook):
    """TF32 and ``torch.compile`` on a GPU; on a CPU a log line says that both are off.

    Args:
        tf32 (bool): Whether float32 products may round their factors to TF32.
        compile (bool): Whether the model's encoders are compiled, in place: names in
            checkpoints stay.
    """

    def __init__(self, tf32: bool = True, compile: bool = True) -> None:
        self.tf32 = tf32
        self.compile = compile

    def before_train(self, runner) -> None:
        """Set it up once the model is where it trains."""
        model = bare_model(runner.model)
        self.accelerate(model, next(model.parameters()).device)

    def accelerate(self, model: nn.Module, device: torch.device) -> None:
        """Set it up for a model that is on ``device``."""
        if device.type != 'cuda':
            print_log(
                'AccelerationHook: the model is on a CPU; TF32 and torch.compile are off.',
                'current',
            )
            return
        if self.tf32:
            torch.set_float32_matmul_precision('high')
            torch.backends.cudnn.allow_tf32 = True
        if self.compile:
            # A learner names its encoders; a recognizer has the one.
            encoders = getattr(model, 'encoders', dict(backbone=model.backbone))
            for encoder in encoders.values():
                encoder.compile()
