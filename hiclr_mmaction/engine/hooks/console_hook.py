"""Settings, progress and results of a run on the screen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner.base_loop import BaseLoop
from rich.progress import BarColumn, Progress, TextColumn

from ...datasets.wrapped import dataset_cfgs
from ...models.modules import bare_model
from ...skeleton import get_layout
from ..console import CONSOLE

# Without a terminal: maximum number of progress lines of a run, and seconds between two.
LINES, SECONDS = 25, 2
# The monitors that are shown if the model logs them.
SHOWN = dict(loss='train/loss', spread='train/feature_spread')


@HOOKS.register_module()
class ConsoleHook(Hook):
    """Show config, data and model, the progress, and the results.

    Progress is a bar in a terminal, and a few lines elsewhere. The remaining time is
    estimated from the speed since this process started, also after resuming.
    ``tools/train.py`` and ``test.py`` add this hook. ``LoggerHook`` writes the log file.

    Attributes:
        begun (bool): Whether the first step is done.
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.begun = False
        self._progress: Progress | None = None
        self._metrics: dict[str, float] = {}

    def before_run(self, runner) -> None:
        """Show config, data, model, device and work folder."""
        if is_main_process():
            for name, value in _facts(runner):
                CONSOLE.print(f'[bold]{name:8}[/]', end='')
                CONSOLE.print(value, soft_wrap=True, markup=False, highlight=False)

    def before_train(self, runner) -> None:
        """Start the clock."""
        self._start, self._first = time.monotonic(), runner.iter
        self._shown_at = self._start - SECONDS
        if is_main_process() and runner.iter:
            CONSOLE.print(f'resumed after epoch {runner.epoch}, step {runner.iter}')
        if is_main_process() and CONSOLE.is_terminal:
            # Bar and text fit into 80 columns.
            columns = BarColumn(bar_width=12), TextColumn('{task.description}')
            self._progress = Progress(*columns, console=CONSOLE, transient=True)
            self._task = self._progress.add_task('', total=runner.max_iters)
            self._progress.start()

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None
    ) -> None:
        """Show the progress."""
        self.begun = True
        if not is_main_process():
            return
        done, total = runner.iter + 1, runner.max_iters
        if self._progress is not None:
            text = self._status(runner, done, total)
            self._progress.update(self._task, completed=done, description=text)
        elif self._is_due(done, total):
            self._shown_at = time.monotonic()
            CONSOLE.print(self._status(runner, done, total), soft_wrap=True)

    def after_test_iter(self, *args, **kwargs) -> None:
        """Note that the test has begun."""
        self.begun = True

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        """Show the metrics, and keep them for the progress bar."""
        self._metrics = dict(metrics or {})
        if is_main_process():
            CONSOLE.print(f'epoch {runner.epoch}: {_shown(self._metrics)}')

    def after_test_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        """Show the metrics."""
        if is_main_process():
            CONSOLE.print(_shown(metrics or {}))

    def after_train(self, runner) -> None:
        """Show where the results are."""
        self.stop()
        if is_main_process():
            passed = timedelta(seconds=round(time.monotonic() - self._start))
            CONSOLE.print(
                f'done in {passed}; results are in {runner.work_dir}',
                soft_wrap=True,
                highlight=False,
            )

    def stop(self) -> None:
        """Remove the progress bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _is_due(self, done: int, total: int) -> bool:
        part = done * LINES // total > (done - 1) * LINES // total
        late = time.monotonic() >= self._shown_at + SECONDS
        return part and late or done == total

    def _status(self, runner, done: int, total: int) -> str:
        scalars = runner.message_hub.log_scalars
        parts = [f'epoch {runner.epoch + 1}/{runner.max_epochs}']
        if self._progress is None:
            parts.append(f'step {done}/{total}')
        for name, key in SHOWN.items():
            if key in scalars:
                parts.append(f'{name} {scalars[key].current():.3f}')
        if self._progress is not None:
            parts.extend(f'{k} {v:.3f}' for k, v in list(self._metrics.items())[:1])
        pace = (time.monotonic() - self._start) / (done - self._first)
        parts.append(f'{timedelta(seconds=round(pace * (total - done)))} left')
        return ', '.join(parts)


def _shown(metrics: dict[str, Any]) -> str:
    return ', '.join(
        f'{name} {value:.4f}' if isinstance(value, float) else f'{name} {value}'
        for name, value in metrics.items()
    )


def _facts(runner) -> Iterator[tuple[str, str]]:
    """Names and contents of the first lines."""
    cfg, model = runner.cfg, bare_model(runner.model)
    yield 'config', str(cfg.filename)
    yield 'data', ', '.join(_data(runner))
    parameters = sum(p.numel() for p in model.parameters())
    backbone = getattr(model, 'backbone', None)
    inner = '' if backbone is None else f' with backbone {type(backbone).__name__}'
    yield 'model', f'{type(model).__name__}{inner}, {parameters:,} parameters'
    device = next(model.parameters()).device
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else device.type
    world = get_world_size()
    yield 'device', name if world == 1 else f'{name}, {world} processes'
    yield 'results', runner.work_dir


def _data(runner) -> Iterator[str]:
    cfg = runner.cfg
    # The runner's properties would build loops that this run does not need.
    training, evaluating = runner._train_loop, runner._val_loop
    trains = isinstance(training, BaseLoop)
    if trains:
        yield f'{len(training.dataloader.dataset):,} training clips'
    else:
        evaluating = runner._test_loop
    if isinstance(evaluating, BaseLoop):
        dataset = evaluating.dataloader.dataset
        # The k-NN classifies the clips of the last set; the sets before it are its bank.
        last = getattr(dataset, 'datasets', [dataset])[-1]
        yield f'{len(last):,} evaluation clips'
    if cfg.get('num_classes'):
        yield f'{cfg.num_classes} classes'
    if cfg.get('num_person'):
        yield f'{cfg.num_person} person{"s" if cfg.num_person > 1 else ""} per clip'
    layout = (cfg.model.get('data_preprocessor') or {}).get('layout')
    if layout is not None:
        layout = get_layout(layout)
        yield f'layout {layout.name} ({layout.num_joints} joints)'
    part = cfg.get('train_dataloader' if trains else 'test_dataloader') or {}
    files = {d.get('ann_file') for _, d in dataset_cfgs(part.get('dataset'), '')}
    yield from sorted(filter(None, files))
