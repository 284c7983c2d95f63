"""A warning of collapse."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from ...models.modules import bare_model


@HOOKS.register_module()
class CollapseWarningHook(Hook):
    """Warn when the embeddings of different clips become the same.

    Monitors ``feature_spread`` (:func:`~hiclr_mmaction.models.modules.feature_spread`): 1
    if embeddings spread evenly over the sphere, 0 if they are all equal. If the model does
    not log it, the hook says so.

    Args:
        threshold (float): Warn below this spread, at most once per epoch.
        begin (int): Iterations to wait at the start, because embeddings also contract at
            the start of a healthy run (we saw 0.09), before they spread.
        interval (int): Iterations between two checks.

    Raises:
        ValueError: If ``interval`` is below 1.
    """

    priority = 'LOW'

    def __init__(
        self, threshold: float = 0.05, begin: int = 500, interval: int = 100
    ) -> None:
        if type(interval) is not int or interval < 1:
            raise ValueError(
                f'CollapseWarningHook: interval={interval}; give a whole number of '
                'iterations, 1 or more.'
            )
        self.threshold = threshold
        self.begin = begin
        self.interval = interval
        self._warned_in = -1  # epoch
        self._idle = False

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None
    ) -> None:
        """Check the spread of the batch."""
        if self._idle or not outputs:  # a step that was skipped has none
            return
        if 'feature_spread' not in outputs:
            self._idle = True
            runner.logger.warning(
                'CollapseWarningHook is idle: the losses of '
                f'{type(bare_model(runner.model)).__name__} have no feature_spread.'
            )
            return
        due = self.every_n_train_iters(runner, self.interval)
        if not due or runner.iter + 1 < self.begin or self._warned_in == runner.epoch:
            return
        spread = float(outputs['feature_spread'])
        if spread < self.threshold:
            self._warned_in = runner.epoch
            runner.logger.warning(
                f'The features have collapsed: feature_spread={spread:.3f}, below '
                f'{self.threshold}; embeddings of different clips are nearly the same. '
                'What helps: a lower learning rate, Kaiming initialisation, no dropout '
                'in the encoder, a queue well below the number of clips, a longer key '
                'encoder average.'
            )
