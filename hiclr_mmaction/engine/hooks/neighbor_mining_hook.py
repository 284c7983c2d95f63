"""When neighbours are mined."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from ...models.modules import bare_model


@HOOKS.register_module()
class NeighborMiningHook(Hook):
    """Set the epoch, and the epoch to begin at, in a model with neighbour mining.

    With ``model.mining.begin`` and :class:`ResumableTrainLoop` it is not needed.

    Args:
        begin (int): Epochs without mining; the released recipe for NTU has 150.

    Raises:
        ValueError: If ``begin`` is negative; before training, if the model has no
            mining.
    """

    #: What :meth:`HiCLR.check` looks for.
    sets_mining = True

    def __init__(self, begin: int = 150) -> None:
        if type(begin) is not int or begin < 0:
            raise ValueError(
                f'NeighborMiningHook: begin={begin} is negative or not whole; give a '
                'number of epochs.'
            )
        self.begin = begin

    def before_train(self, runner) -> None:
        """Set in the model when to begin."""
        mining = getattr(bare_model(runner.model), 'mining', None)
        if mining is None:
            raise ValueError(
                'NeighborMiningHook: the model has no mining; set '
                'model.mining=dict(topk=1), or remove the hook from custom_hooks.'
            )
        mining.begin = self.begin

    def before_train_epoch(self, runner) -> None:
        """Set the epoch of the model."""
        bare_model(runner.model).set_epoch(runner.epoch)
