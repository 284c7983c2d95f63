"""Linear evaluation: the encoder is frozen, a linear classifier trains."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmaction.models import RecognizerGCN
from mmaction.registry import LOOPS
from mmengine.hooks import SyncBuffersHook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner, autocast
from torch.utils.data import DataLoader

from ...datasets.randomness import draws_taken_back, random_transform
from ...models.modules import bare_model
from ..hooks import PretrainedCheckHook
from .frozen_features import FrozenFeatures, check_recognizer, extract_features


@LOOPS.register_module()
class LinearProbeLoop(EpochBasedTrainLoop):
    """Train the classifier of a :class:`RecognizerGCN` on a frozen encoder.

    The encoder stays in evaluation mode, with its weights and statistics unchanged. It runs
    once over the training and validation clips. The classifier then trains on the features,
    with the batches, optimiser, schedule, hooks and checkpoints of the config. Checkpoints
    contain the full recognizer. The last epoch is always validated; it is the result.

    Args:
        runner (Runner): With a model ``RecognizerGCN`` whose head is ``GCNHead``.
        dataloader (DataLoader | dict): The training set, without augmentation.
        max_epochs (int): Epochs of the classifier.
        cache (bool): False runs the encoder on every batch of every epoch, for augmented
            clips.
        **kwargs: As in :class:`EpochBasedTrainLoop`.

    Raises:
        ValueError: Before data are read, if model or pre-trained weights cannot be
            used; before training, if there is no batch or, with ``cache``, a clip is
            not the same each time or the head pools a standard deviation.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        max_epochs: int,
        cache: bool = True,
        **kwargs,
    ) -> None:
        model = bare_model(runner.model)
        check_recognizer(model, 'LinearProbeLoop')
        PretrainedCheckHook.of(runner).check(runner)
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        if len(self.dataloader) == 0:
            raise ValueError(
                f'train_dataloader.batch_size={self.dataloader.batch_size} with '
                f'drop_last leaves no batch of {len(self.dataloader.dataset)} clips; '
                'make it smaller, or set drop_last=False.'
            )
        self.cache = cache
        self.recognizer = model
        self._freeze()

    def _freeze(self) -> None:
        # Here, because the runner makes the optimiser next.
        for name, parameter in self.recognizer.named_parameters():
            parameter.requires_grad_(name.startswith('cls_head.'))
        if is_model_wrapper(self.runner.model):
            # The wrapper was made when all had gradients, and would wait for them.
            wrapper_cfg = self.runner.cfg.get('model_wrapper_cfg')
            self.runner.model = self.runner.wrap_model(wrapper_cfg, self.recognizer)
        for hook in list(self.runner.hooks):
            # The mean of equal statistics of three ranks may be off in the last bit.
            if isinstance(hook, SyncBuffersHook):
                self.runner.hooks.remove(hook)

    def run(self) -> torch.nn.Module:
        """Extract the features, then train on them."""
        if not self.cache:
            return super().run()
        loops = [self]
        if self.runner.val_loop is not None:
            loops.append(self.runner.val_loop)
        raw = [loop.dataloader for loop in loops]
        for loop, features in zip(loops, self._extract(), strict=True):
            loop.dataloader = features.loader(loop.dataloader)
        try:
            with _features_as_input(self.recognizer):
                return super().run()
        finally:
            for loop, dataloader in zip(loops, raw, strict=True):
                loop.dataloader = dataloader

    def run_epoch(self) -> None:
        """One epoch of the classifier, the encoder in evaluation mode."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        self.recognizer.backbone.eval()
        for idx, data_batch in enumerate(self.dataloader):
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _extract(self) -> list[FrozenFeatures]:
        """Features of the training set and, if there is one, of the validation set."""
        runner = self.runner
        # As the classifier would see them if the encoder ran in every epoch.
        parts = [('train', self.dataloader, runner.optim_wrapper.optim_context)]
        if runner.val_loop is not None:
            fp16 = getattr(runner.val_loop, 'fp16', False)
            parts.append(
                ('val', runner.val_loop.dataloader, lambda _: autocast(enabled=fp16))
            )
        _check_poolable(self.recognizer)
        for name, loader, _ in parts:
            _check_no_augmentation(name, self.recognizer, loader)
        self.recognizer.eval()
        start = time.perf_counter()
        extracted = []
        with draws_taken_back():
            for _, loader, context in parts:
                with context(runner.model):
                    extracted.append(extract_features(self.recognizer, loader))
        seconds = time.perf_counter() - start
        counts = ' and '.join(
            f'{len(part)} ({name})'
            for part, (name, *_) in zip(extracted, parts, strict=True)
        )
        runner.logger.info(
            f'Extracted {counts} features of width '
            f'{extracted[0].features[0, 0].numel()} in '
            f'{seconds:.1f} s; the encoder is not run again.'
        )
        return extracted


@contextmanager
def _features_as_input(model: RecognizerGCN) -> Iterator[None]:
    """Make preprocessor and backbone return their input.

    The modules stay in the model, so that checkpoints and hooks find all of it.
    """
    model.data_preprocessor.forward = lambda data, training=False: data
    model.backbone.forward = lambda x: x
    try:
        yield
    finally:
        del model.data_preprocessor.forward, model.backbone.forward


def _check_poolable(model: RecognizerGCN) -> None:
    """The head pools the cached means once more: that would change a deviation."""
    if getattr(model.cls_head, 'pool_cfg', {}).get('std'):
        raise ValueError(
            'LinearProbeLoop cannot keep features of model.cls_head.pool.std=True; set it '
            'to False, or train_cfg.cache=False, which runs the encoder in every epoch.'
        )


def _check_no_augmentation(name: str, model: RecognizerGCN, loader: DataLoader) -> None:
    """Features are of one draw: a clip must be the same in every epoch."""
    drawn = random_transform(loader.dataset)
    place = f'{name}_dataloader.dataset.pipeline'
    if name == 'train' and getattr(model.data_preprocessor, 'blending', None):
        drawn, place = 'blending', 'model.data_preprocessor'
    if drawn is not None:
        raise ValueError(
            f'LinearProbeLoop extracts features once, but {drawn} of {place} changes a '
            'clip each time it is read; take it out (the recipe of linear evaluation has '
            'no augmentation), or set train_cfg.cache=False, which runs the encoder in '
            'every epoch.'
        )
