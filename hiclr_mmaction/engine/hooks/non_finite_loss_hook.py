"""Handling of infinite and NaN losses."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce, is_distributed
from mmengine.hooks import Hook
from torch import Tensor

from ...atomic_write import write_text
from ...models.modules import bare_model


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Stop at a loss that is infinite or NaN, or skip its step.

    Each rank with such a loss writes ``nonfinite_step<N>_rank<R>.json`` to the work folder:
    the step, the clips of the batch and whether their coordinates are finite, each part of
    the loss, the learning rates and, if gradients are clipped, their norm. All ranks stop
    or skip together.

    Args:
        action (str): ``'stop'``, or ``'skip'``: restore weights, statistics, queue, key
            encoder and optimiser, and log nothing of the step. This needs a copy of them
            before each step, and twice the memory.
        max_skips (int): Number of consecutive skipped steps after which ``'skip'`` stops
            too, because the weights themselves must be the cause.
        interval (int): Steps between two checks; the end of an epoch is always checked.
            Each check waits for the device. The report is about the checked step, not the
            first one with such a loss. ``'skip'`` needs 1.

    Raises:
        ValueError: If an argument is out of range.
        FloatingPointError: In training, when it stops; names the file.
    """

    priority = 'HIGHEST'

    def __init__(
        self, action: str = 'stop', max_skips: int = 10, interval: int = 1
    ) -> None:
        if action not in ('stop', 'skip'):
            raise ValueError(
                f"NonFiniteLossHook: action={action!r} is unknown; it is 'stop' or 'skip'."
            )
        if max_skips < 1:
            raise ValueError(f'NonFiniteLossHook: max_skips={max_skips} is below 1.')
        if interval < 1 or (action == 'skip' and interval > 1):
            raise ValueError(
                f'NonFiniteLossHook: interval={interval}; it is 1 or more, and with '
                "action='skip' 1."
            )
        self.action = action
        self.max_skips = max_skips
        self.interval = interval
        self._skipped = 0
        self._before: _Snapshot | None = None

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Copy the state that a step changes."""
        if self.action == 'skip':
            self._before = _Snapshot(runner)

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None
    ) -> None:
        """Check the losses of the step."""
        losses = {k: v for k, v in (outputs or {}).items() if 'loss' in k}
        if not losses or not self._is_due(runner, batch_idx):
            return
        # One wait for the device; mmengine's RuntimeInfoHook waits for each number.
        finite = bool(
            torch.stack([v.detach() for v in losses.values()]).isfinite().all()
        )
        if is_distributed():
            vote = torch.tensor(int(finite))
            all_reduce(vote, 'min')
            all_finite = bool(vote)
        else:
            all_finite = finite
        if all_finite:
            self._skipped = 0
            return
        report = None if finite else self._report(runner, batch_idx, data_batch, losses)
        step = f'step {runner.iter + 1} (epoch {runner.epoch + 1})'
        where = (
            'another rank wrote what led to it to the work folder'
            if report is None
            else f'what led to it is in {report}'
        )
        if self._before is None or self._skipped == self.max_skips:
            again = f' after {self._skipped} skipped steps' if self._skipped else ''
            raise FloatingPointError(
                f'The loss of {step} is not finite{again}; {where}. The last checkpoint '
                'is from before. Look at the clips named there, lower the learning rate, '
                'or clip gradients (optim_wrapper.clip_grad).'
            )
        self._skipped += 1
        self._before.restore()
        if outputs is not None:
            outputs.clear()
        runner.logger.warning(f'The loss of {step} is not finite: skipped; {where}.')

    def _is_due(self, runner, batch_idx: int) -> bool:
        # The end of an epoch as well: no checkpoint of spoiled weights is written.
        return (
            self.every_n_inner_iters(batch_idx, self.interval)
            or self.end_of_epoch(runner.train_dataloader, batch_idx)
            or self.is_last_train_iter(runner)
        )

    def _report(
        self, runner, batch_idx: int, data_batch: Any, losses: dict[str, Tensor]
    ) -> Path:
        hub = runner.message_hub
        norm = hub.log_scalars.get('train/grad_norm')
        content = dict(
            step=runner.iter + 1,
            epoch=runner.epoch + 1,
            batch=batch_idx + 1,
            rank=runner.rank,
            losses={name: _number(value) for name, value in losses.items()},
            learning_rates=runner.optim_wrapper.get_lr(),
            grad_norm=None if norm is None else _number(norm.current()),
            inputs_finite=all(x.isfinite().all() for x in _tensors(data_batch)),
            clips=[
                {k: _plain(v) for k, v in sample.metainfo.items()}
                for sample in _samples(data_batch)
            ],
        )
        name = f'nonfinite_step{runner.iter + 1}_rank{runner.rank}.json'
        path = Path(runner.work_dir, name)
        write_text(json.dumps(content, indent=1), path)
        return path


class _Snapshot:
    """What a step changes: the model's state and the optimisers'."""

    def __init__(self, runner) -> None:
        self._model = bare_model(runner.model)
        self._state = copy.deepcopy(self._model.state_dict())
        self._wrapper = runner.optim_wrapper
        self._optimizers = [
            (wrapper.optimizer, copy.deepcopy(wrapper.optimizer.state_dict()))
            for wrapper in (
                self._wrapper.values()
                if hasattr(self._wrapper, 'optim_wrappers')
                else [self._wrapper]
            )
        ]

    def restore(self) -> None:
        self._model.load_state_dict(self._state)
        for optimizer, before in self._optimizers:
            optimizer.load_state_dict(before)
        self._wrapper.zero_grad()  # gradients that are accumulated


def _tensors(data: Any) -> Iterator[Tensor]:
    """The tensors in nested containers."""
    if isinstance(data, Tensor):
        yield data
    elif isinstance(data, dict):
        for part in data.values():
            yield from _tensors(part)
    elif isinstance(data, (list, tuple)):
        for part in data:
            yield from _tensors(part)


def _samples(data_batch: Any) -> list:
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    return [s for s in samples or () if hasattr(s, 'metainfo')]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, 'item') else str(value)


def _number(value: Any) -> float | str:
    """A number for JSON, which has no infinity."""
    value = float(value.detach() if isinstance(value, Tensor) else value)
    return value if math.isfinite(value) else str(value)
