"""When neighbours are mined."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from ...models.modules import bare_model


@HOOKS.register_module()
class NeighborMiningHook(Hook):
    """Turn neighbour mining on after some epochs of pre-training.

    Args:
        begin (int): Epochs without mining; the released recipe for NTU has 150.
    """

    def __init__(self, begin: int = 150) -> None:
        if begin < 0:
            raise ValueError(f'NeighborMiningHook: begin={begin} is negative.')
        self.begin = begin

    def before_train_epoch(self, runner) -> None:
        """Set the model's ``mining_active`` for the epoch."""
        model = bare_model(runner.model)
        active = runner.epoch >= self.begin
        if active and not model.mining_active:
            runner.logger.info(f'Neighbour mining is on from epoch {runner.epoch + 1}.')
        model.mining_active = active
