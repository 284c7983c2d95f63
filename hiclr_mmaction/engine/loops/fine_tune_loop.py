"""Fine-tuning that starts where a linear classifier of the frozen encoder ends."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from mmaction.models import RecognizerGCN
from mmaction.registry import LOOPS
from mmengine.dist import broadcast
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader, Subset

from ...datasets import LabelledFraction
from ...datasets.randomness import draws_taken_back
from ...evaluation.readouts import ridge_classifier
from ...models.modules import bare_model
from ..hooks import PretrainedCheckHook
from .frozen_features import check_recognizer, extract_features
from .resumable_train_loop import ResumableTrainLoop

#: Batches after which running statistics of momentum 0.1 no longer know the first ones.
SETTLED = 100


@LOOPS.register_module()
class FineTuneLoop(ResumableTrainLoop):
    """Fine-tune a pre-trained encoder on a few hundred clips, or on few labels.

    A :class:`ResumableTrainLoop`, except that

    - the classifier does not start from random weights but as a ridge classifier of the
      frozen encoder's features, as in LP-FT (Kumar et al., ICLR 2022, arXiv 2202.10054).
      The features are those of augmented views, whitened over all training clips, also
      those whose labels :class:`LabelledFraction` leaves out;
    - batch norms of the backbone keep the statistics of the pre-training. Those of
      batches in which a few clips come again and again are far from them. If the
      pre-training took fewer than 100 steps, its statistics have not settled, and those
      of all training clips are measured at the start.

    Args:
        runner (Runner): With a model ``RecognizerGCN`` whose head is ``GCNHead``.
        dataloader (dict): As in :class:`ResumableTrainLoop`.
        max_epochs (int): Number of epochs.
        num_views (int): Views of each clip by the training pipeline, for the start.
        max_clips (int): Clips for the start at most, labelled ones first.
        **kwargs: Other arguments of ``EpochBasedTrainLoop``.

    Raises:
        ValueError: If the model or an argument cannot be used, or no pre-trained weights
            are named.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: dict,
        max_epochs: int,
        num_views: int = 12,
        max_clips: int = 1200,
        **kwargs: Any,
    ) -> None:
        for name, value, low in [
            ('num_views', num_views, 2),
            ('max_clips', max_clips, 2),
        ]:
            if type(value) is not int or value < low:
                raise ValueError(
                    f'train_cfg.{name}={value!r}: give a whole number, {low} or more.'
                )
        check_recognizer(bare_model(runner.model), 'FineTuneLoop')
        if not runner._resume and not PretrainedCheckHook.of(runner).check(runner):
            raise ValueError(
                'FineTuneLoop keeps what a pre-training has learnt, but no pre-trained '
                'weights are named; set model.backbone.init_cfg or load_from, or, to '
                "train from scratch, train_cfg.type='ResumableTrainLoop'."
            )
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        self.num_views = num_views
        self.max_clips = max_clips

    def _take_up(self) -> bool:
        if not self._iter:
            self._start_classifier()
        return super()._take_up()

    def _train_mode(self) -> None:
        super()._train_mode()
        for norm in _batch_norms(bare_model(self.runner.model)):
            norm.eval()

    @torch.no_grad()
    def _start_classifier(self) -> None:
        start = time.perf_counter()
        model = bare_model(self.runner.model)
        model.eval()
        with draws_taken_back():
            clips, labelled = self._clips()
            loader = DataLoader(
                clips,
                batch_size=64,
                collate_fn=self.dataloader.collate_fn,
            )
            _settle_statistics(model, loader)
            found = [extract_features(model, loader) for _ in range(self.num_views)]
        views = torch.stack([f.features.mean(1).flatten(1) for f in found], 1)
        labels = (
            torch.stack([s.gt_label[0] for s in found[0].data_samples]).cpu().numpy()
        )
        labels[labelled:] = -1
        classifier = model.cls_head.fc
        weight, bias = ridge_classifier(
            views.cpu().numpy(), labels, classifier.out_features
        )
        for parameter, value in zip(
            (classifier.weight, classifier.bias), (weight, bias), strict=True
        ):
            parameter.copy_(torch.from_numpy(value))
            broadcast(parameter.data)
        self.runner.logger.info(
            f'The classifier starts as a ridge classifier of {labelled} labelled clips, '
            f'their features whitened by {self.num_views} views of {len(clips)} clips '
            f'({time.perf_counter() - start:.1f} s).'
        )

    def _clips(self) -> tuple[Subset, int]:
        """The clips for the start, labelled ones first, and the number of these."""
        dataset = self.dataloader.dataset.dataset  # within SeededDataset
        labelled = np.arange(len(dataset))
        if isinstance(dataset, LabelledFraction):
            labelled = np.array([clip['index'] for clip in dataset.clips])
            dataset = dataset.dataset
        rng = np.random.default_rng(0)
        others = np.setdiff1d(np.arange(len(dataset)), labelled)
        chosen = np.concatenate([rng.permutation(labelled), rng.permutation(others)])
        chosen = chosen[: self.max_clips]
        return Subset(dataset, chosen.tolist()), min(len(labelled), len(chosen))


def _settle_statistics(model: RecognizerGCN, loader: DataLoader) -> None:
    """Measure the statistics of batch norms that have seen few batches."""
    norms = [
        norm
        for norm in _batch_norms(model)
        if norm.num_batches_tracked is None or norm.num_batches_tracked < SETTLED
    ]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over batches
        norm.train()
    for batch in loader if norms else ():
        # All clips in each process: all have the same statistics.
        model.extract_feat(model.data_preprocessor(batch, False)['inputs'])
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def _batch_norms(model: RecognizerGCN) -> list[_BatchNorm]:
    """Those of the backbone that have statistics."""
    return [
        module
        for module in model.backbone.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
    ]
