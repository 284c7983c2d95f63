"""Losses for the log, fetched from the device at intervals."""

from __future__ import annotations

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import RuntimeInfoHook


@HOOKS.register_module()
class IntervalInfoHook(RuntimeInfoHook):
    """:class:`RuntimeInfoHook` that waits for the device once per interval.

    All losses reach the log, but later: those of ``interval`` steps at once.

    Args:
        interval (int): Steps between two fetches; a divisor of ``LoggerHook``'s.
    """

    def __init__(self, interval: int = 20) -> None:
        if interval < 1:
            raise ValueError(
                f'IntervalInfoHook: interval={interval} is not at least 1.'
            )
        super().__init__()
        self.interval = interval
        self._waiting: list[dict[str, torch.Tensor]] = []

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None
    ) -> None:
        """Keep a step's losses, or hand over all that were kept."""
        if outputs is not None:
            self._waiting.append({k: v.detach() for k, v in outputs.items()})
        last = self.is_last_train_iter(runner) or self.end_of_epoch(
            runner.train_dataloader, batch_idx
        )
        if last or self.every_n_inner_iters(batch_idx, self.interval):
            self._hand_over(runner)

    def _hand_over(self, runner) -> None:
        if not self._waiting:
            return
        names = [name for outputs in self._waiting for name in outputs]
        values = [v.float() for outputs in self._waiting for v in outputs.values()]
        self._waiting = []
        for name, value in zip(names, torch.stack(values).tolist(), strict=True):
            runner.message_hub.update_scalar(f'train/{name}', value)
