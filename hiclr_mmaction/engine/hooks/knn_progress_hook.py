"""k-NN accuracy before and after pre-training."""

from __future__ import annotations

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook


@HOOKS.register_module()
class KNNProgressHook(Hook):
    """Validate before the first step, and compare the result with the last epoch.

    Args:
        metric (str): The metric that the closing line compares.
    """

    def __init__(self, metric: str = 'knn/k1') -> None:
        self.metric = metric

    @torch.no_grad()
    def before_train(self, runner) -> None:
        """Validate before the first iteration of a run (not of a resumed one)."""
        if runner.val_loop is None or runner.iter > 0:
            return
        # Not ValLoop.run: its hooks would save a best checkpoint of no training.
        loop = runner.val_loop
        runner.model.eval()
        for batch in loop.dataloader:
            outputs = runner.model.val_step(batch)
            loop.evaluator.process(data_samples=outputs, data_batch=batch)
        metrics = loop.evaluator.evaluate(len(loop.dataloader.dataset))
        runner.model.train()
        runner.message_hub.update_info('before_training', metrics)
        runner.visualizer.add_scalars(metrics, step=0)
        shown = ', '.join(f'{name} {value:.4f}' for name, value in metrics.items())
        runner.logger.info(f'Before training: {shown}')

    def after_train(self, runner) -> None:
        """Log the result of the last epoch."""
        history = runner.message_hub.log_scalars.get(f'val/{self.metric}')
        if history is None:
            return
        first = runner.message_hub.runtime_info.get('before_training', {})
        before = first.get(self.metric)
        compared = '' if before is None else f'; before training {100 * before:.1f} %'
        runner.logger.info(
            f'{self.metric} of the frozen features after the last epoch '
            f'({runner.epoch}): {100 * history.current():.1f} %{compared}'
        )
