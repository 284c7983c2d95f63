"""When neighbours are mined."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from ...models.modules import bare_model


@HOOKS.register_module()
class NeighborMiningHook(Hook):
    """Tell a model with neighbour mining the epoch, and after how many to begin.

    With ``model.mining.begin`` and :class:`ResumableTrainLoop` it is not needed.

    Args:
        begin (int): Epochs without mining; the released recipe for NTU has 150.

    Raises:
        ValueError: If ``begin`` is negative; before training, if the model has no
            mining.
    """

    def __init__(self, begin: int = 150) -> None:
        if type(begin) is not int or begin < 0:
            raise ValueError(
                f'NeighborMiningHook: begin={begin} is negative or not whole; give a '
                'number of epochs.'
            )
        self.begin = begin

    def before_train(self, runner) -> None:
        """Tell the model when to begin."""
        mining = getattr(bare_model(runner.model), 'mining', None)
        if mining is None:
            raise ValueError(
                'NeighborMiningHook: the model has no mining; set '
                'model.mining=dict(topk=1), or remove the hook from custom_hooks.'
            )
        mining.begin = self.begin

    def before_train_epoch(self, runner) -> None:
        """Tell the model the epoch."""
        bare_model(runner.model).set_epoch(runner.epoch)
