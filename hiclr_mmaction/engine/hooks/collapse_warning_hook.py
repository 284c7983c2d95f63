"""A collapse, said in words."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook


@HOOKS.register_module()
class CollapseWarningHook(Hook):
    """Warn when the embeddings of different clips become the same.

    Watches ``feature_spread``, a monitor of :class:`HierarchicalContrastHead`: 1 where
    embeddings spread evenly over the sphere, 0 where they are all one.

    Args:
        threshold (float): Warn below this spread, once an epoch at most.
        begin (int): Iterations to wait first: in a healthy run too the embeddings
            draw together at the start (to 0.09 seen), before they spread.
        interval (int): Iterations between two looks.
    """

    priority = 'LOW'

    def __init__(
        self, threshold: float = 0.05, begin: int = 500, interval: int = 100
    ) -> None:
        self.threshold = threshold
        self.begin = begin
        self.interval = interval
        self._warned_in = -1  # epoch

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None
    ) -> None:
        """Look at the spread of the batch."""
        due = self.every_n_train_iters(runner, self.interval)
        if not due or runner.iter + 1 < self.begin or self._warned_in == runner.epoch:
            return
        spread = float((outputs or {}).get('feature_spread', 1))
        if spread < self.threshold:
            self._warned_in = runner.epoch
            runner.logger.warning(
                f'The features have collapsed: feature_spread={spread:.3f}, below '
                f'{self.threshold}; embeddings of different clips are nearly the same. '
                'What helps: a lower learning rate, Kaiming initialisation, no dropout '
                'in the encoder, a queue well below the number of clips, a longer key '
                'encoder average.'
            )
