"""Checkpoints to resume from exactly, saved also at SIGTERM."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mmaction
import torch
from mmaction.registry import HOOKS
from mmengine.dist import (
    all_gather_object,
    all_reduce,
    is_distributed,
    is_main_process,
    master_only,
)
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook

from ...atomic_write import remove_parts, whole_file, write_text
from ...checkpoint import load_safely
from ...version import __version__
from ..generators import generator_states

INTERRUPTED = 'interrupted.pth'
# "Try again later" of sysexits.h; Windows lacks it in `os`.
EXIT_INTERRUPTED = 75


class TrainingInterrupted(SystemExit):
    """SIGTERM ended the training, after a checkpoint; the exit status is 75."""

    def __init__(self) -> None:
        super().__init__(EXIT_INTERRUPTED)


class AtomicBackend(LocalBackend):
    """Writes local files atomically.

    ``LocalBackend`` writes directly to the target, so that a killed process leaves an
    incomplete file.
    """

    def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
        """Write a file, and its folder if need be."""
        os.makedirs(os.path.dirname(os.path.abspath(filepath)), exist_ok=True)
        with whole_file(filepath) as part:
            part.write_bytes(obj)


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """``CheckpointHook`` for :class:`ResumableTrainLoop`.

    - Checkpoints are read as by :class:`load_safely`, and written atomically.
    - Each checkpoint stores the state of every generator on every rank, and whether the
      last epoch has been validated.
    - An old checkpoint is deleted only after the new one is complete; incomplete files of a
      killed run are removed when it is resumed.
    - After SIGTERM it saves ``interrupted.pth`` at the end of the step, or immediately
      during a validation, and raises :class:`TrainingInterrupted` on all ranks.

    Args:
        agree_interval (int): With several processes, steps between two checks whether any
            of them received SIGTERM.
        **kwargs: Arguments of ``CheckpointHook``.

    Raises:
        ValueError: If ``agree_interval`` is below 1.
    """

    def __init__(self, *args: Any, agree_interval: int = 10, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if agree_interval < 1:
            raise ValueError(
                f'ResumableCheckpointHook: agree_interval={agree_interval} is below 1.'
            )
        self.agree_interval = agree_interval
        self._safe_reading: load_safely | None = None
        self._validated = False
        self._states: dict | None = None  # generators, as the validation found them
        self._outdated: list[str] = []
        self._former_best: dict[str, str | None] = {}

    def before_run(self, runner) -> None:
        """Let the runner read weights, or the run to resume, safely."""
        super().before_run(runner)
        self._safe_reading = load_safely()

    def before_val(self, runner) -> None:
        """Let mmengine read as before: the weights are loaded."""
        if self._safe_reading is not None:
            self._safe_reading.undo()
            self._safe_reading = None

    before_test = before_val

    def before_train(self, runner) -> None:
        """Clear up after a killed run."""
        self.before_val(runner)
        local = '://' not in str(self.out_dir or runner.work_dir)
        if local and self.backend_args is self.file_client_args is None:  # type: ignore[has-type]
            register_backend('hiclr_atomic', AtomicBackend, force=True)
            self.backend_args = dict(backend='hiclr_atomic')
        super().before_train(runner)
        if is_main_process():
            for folder in {self.out_dir, runner.work_dir}:
                remove_parts(folder)
        self._remove(runner.message_hub.runtime_info.get('outdated_ckpts', ()))

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None
    ) -> None:
        """Save if due; save and end if SIGTERM came."""
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        due = not is_distributed() or self.every_n_train_iters(
            runner, self.agree_interval
        )
        if due and _agree_to_end(runner):
            self._end(runner, dict(epoch=runner.epoch, iter=runner.iter + 1))

    def after_train_epoch(self, runner) -> None:
        """Save if due; save and end if SIGTERM came."""
        super().after_train_epoch(runner)
        if _agree_to_end(runner):
            self._end(runner, dict(epoch=runner.epoch + 1, iter=runner.iter))

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add what a model card tells: command, config and software."""
        words = [os.path.basename(w) if os.path.isabs(w) else w for w in sys.argv]
        checkpoint['meta'].update(
            command=shlex.join(['python', *words]),
            config_file=os.path.basename(runner.cfg.filename or ''),
            software=f'hiclr_mmaction {__version__}, torch {torch.__version__}, '
            f'mmaction2 {mmaction.__version__}',
        )

    def before_val_epoch(self, runner) -> None:
        """Keep the generators: a run that ends in a validation begins it anew."""
        self._states = generator_states()

    def after_val_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Save and end if SIGTERM came."""
        # Ranks may have unlike numbers of batches here; they agree in the next step.
        if not is_distributed() and _agree_to_end(runner):
            self._end(runner, dict(epoch=runner.epoch, iter=runner.iter))

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Save the best, after which the validation need not be made again."""
        self._states = None
        self._validated = True
        super().after_val_epoch(runner, metrics)
        self._validated = False

    def _end(self, runner, meta: dict) -> None:
        runner.message_hub.update_info('outdated_ckpts', [])
        self._save(runner, INTERRUPTED, meta)
        runner.logger.warning(
            f'SIGTERM: the run stops after step {meta["iter"]}, saved as '
            f'{self.last_ckpt}; --resume continues it. Exit status {EXIT_INTERRUPTED}.'
        )
        raise TrainingInterrupted

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        # In place of the stock method, which deletes before it saves.
        outdated = [INTERRUPTED]
        if self.max_keep_ckpts > 0 and step not in list(self.keep_ckpt_ids)[-1:]:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                oldest = self.keep_ckpt_ids.popleft()
                outdated.append(self.filename_tmpl.format(oldest))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        outdated = [self.file_backend.join_path(self.out_dir, n) for n in outdated]
        outdated += self._replaced_best()
        # Saved too: who resumes from it deletes what a killed run could not.
        runner.message_hub.update_info('outdated_ckpts', outdated)
        self._save(runner, self.filename_tmpl.format(step), meta)
        self._remove(outdated)

    def _save(self, runner, name: str, meta: dict) -> None:
        states = self._states or generator_states()
        loader = runner.train_dataloader
        runner.message_hub.update_info(
            'resume',
            dict(
                generators=all_gather_object(states),
                seed=getattr(loader.sampler, 'seed', None),
                epoch_length=len(loader),
                validated=self._validated,
            ),
        )
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_text(self.last_ckpt, Path(runner.work_dir, 'last_checkpoint'))

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not self.save_best:
            return
        # The stock method would delete what it finds here before it saves.
        former = self._former_best = self._best_paths
        self._best_paths = dict.fromkeys(former)
        super()._save_best_checkpoint(runner, metrics)
        self._remove(self._replaced_best())  # if no checkpoint was due with it
        self._best_paths = {k: v or former[k] for k, v in self._best_paths.items()}
        self._former_best = {}

    def _replaced_best(self) -> list[str]:
        return [
            former
            for key, former in self._former_best.items()
            if former and self._best_paths[key] not in (None, former)
        ]

    @property
    def _best_paths(self) -> dict[str, str | None]:
        if len(self.key_indicators) == 1:
            return {'': self.best_ckpt_path}
        return dict(self.best_ckpt_path_dict)

    @_best_paths.setter
    def _best_paths(self, paths: dict[str, str | None]) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = paths['']
        else:
            self.best_ckpt_path_dict = paths

    @master_only
    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)


def _agree_to_end(runner) -> bool:
    """Whether any rank got SIGTERM."""
    terminated = getattr(runner.train_loop, 'terminated', False)
    if not is_distributed():
        return terminated
    vote = torch.tensor(int(terminated))
    all_reduce(vote, 'max')
    return bool(vote)
