"""Training by epochs that resumes exactly from any step."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from mmaction.registry import LOOPS
from mmengine.dist import get_rank, get_world_size
from mmengine.runner import EpochBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader

from ...datasets.seeded import SeededDataset, SeededSampler
from ...models.modules import bare_model
from ..generators import set_generator_states


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """``EpochBasedTrainLoop`` that resumes exactly, also within an epoch.

    Needs :class:`ResumableCheckpointHook`, which saves the position in the run and the
    state of every generator. After resuming, the sampler skips the finished steps of the
    epoch without loading their clips, and an interrupted validation is repeated. Random
    numbers of data workers depend on the sample, not the worker (:class:`SeededDataset`),
    so they need not be saved. On a CPU, the resumed run gives the same weights as an
    uninterrupted one, bit for bit.

    Args:
        runner (Runner): The runner.
        dataloader (dict): Config of the loader, with a ``batch_size`` and no
            ``batch_sampler``.
        max_epochs (int): Number of epochs.
        **kwargs: Other arguments of ``EpochBasedTrainLoop``.

    Attributes:
        terminated (bool): Whether SIGTERM came; the hook acts on it.

    Raises:
        ValueError: If ``dataloader`` is built already or has a ``batch_sampler``.
    """

    def __init__(
        self, runner: Any, dataloader: dict, max_epochs: int, **kwargs: Any
    ) -> None:
        if not isinstance(dataloader, dict) or dataloader.get('batch_sampler'):
            raise ValueError(
                'ResumableTrainLoop: train_dataloader must be a config with batch_size '
                'and sampler, neither a built loader nor one with a batch_sampler; '
                "change it, or set train_cfg.type='EpochBasedTrainLoop'."
            )
        dataloader = dict(
            dataloader,
            dataset=dict(type=SeededDataset, dataset=dataloader['dataset']),
            sampler=dict(type=SeededSampler, sampler=dataloader['sampler']),
        )
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        _detach(self.dataloader)
        self.terminated = False
        self._done = 0  # batches of the epoch that are behind, in a resumed run

    def run(self) -> nn.Module:
        """Train to the end, from the beginning or from where a checkpoint stands."""
        if self.runner.val_loop is not None:
            _detach(self.runner.val_loop.dataloader)
        with self._listening():
            self.runner.call_hook('before_train')
            validated = self._take_up()
            if self._iter and not self._done and not validated:
                self._validate_if_due()
            while self._epoch < self._max_epochs and not self.stop_training:
                self.run_epoch()
                self._validate_if_due()
            self.runner.call_hook('after_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Run an epoch, or the rest of one."""
        self.runner.call_hook('before_train_epoch')
        model = bare_model(self.runner.model)
        if hasattr(model, 'set_epoch'):
            model.set_epoch(self._epoch)
        self._train_mode()
        done, self._done = self._done, 0
        self.dataloader.sampler.start = done * self.dataloader.batch_size
        for idx, data_batch in enumerate(self.dataloader, done):
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _train_mode(self) -> None:
        self.runner.model.train()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Remember a SIGTERM instead of ending the process."""

        def note(signum: int, frame: Any) -> None:
            self.terminated = True

        if threading.current_thread() is not threading.main_thread():
            yield  # Python has signals in the main thread alone
            return
        former = signal.signal(signal.SIGTERM, note)
        try:
            yield
        finally:
            # None stands for a handler that is not of Python.
            signal.signal(signal.SIGTERM, former or signal.SIG_DFL)

    def _validate_if_due(self) -> None:
        self._decide_current_val_interval()
        if (
            self.runner.val_loop is not None
            and self._epoch >= self.val_begin
            and (
                self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
            )
        ):
            self.runner.val_loop.run()

    def _take_up(self) -> bool:
        """Restore the position in the run; returns whether the last epoch is validated."""
        if not self._iter:
            return False
        state = self.runner.message_hub.runtime_info.get('resume')
        if state is None:
            self.runner.logger.warning(
                'The checkpoint was not written by ResumableCheckpointHook: the run goes '
                'on, but with other draws than without the stop.'
            )
            return False
        self.dataloader.sampler.seed = state['seed']
        before = state['epoch_length'], len(state['generators'])
        now = len(self.dataloader), get_world_size()
        if before != now:
            self.runner.logger.warning(
                f'An epoch had {before[0]} steps on {before[1]} process(es) and now has '
                f'{now[0]} on {now[1]}: the run resumes at the beginning of epoch '
                f'{self._epoch + 1}, with other draws than without the stop.'
            )
            return state['validated']
        self._done = self._iter - self._epoch * len(self.dataloader)
        set_generator_states(state['generators'][get_rank()])
        return state['validated']


def _detach(loader: DataLoader) -> None:
    """Make the workers of a loader independent of the main process."""
    if loader.generator is None:
        # Else the start of workers takes a draw of the main process, and persistent
        # ones start once in a run but again in a resumed one.
        loader.generator = torch.Generator()
    # SIGTERM spares the workers unless their main process sends it: cluster managers and
    # torchrun send it to all, and the main process still needs the batches under way.
    if hasattr(signal, 'sigwaitinfo'):  # not on macOS, nor on Windows
        loader.worker_init_fn = partial(_begin_worker, then=loader.worker_init_fn)


def _begin_worker(worker_id: int, then: Callable[[int], None] | None) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_obey_parent, daemon=True).start()
    if then is not None:
        then(worker_id)


def _obey_parent() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)
