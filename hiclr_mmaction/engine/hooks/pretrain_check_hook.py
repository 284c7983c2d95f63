"""Does everything fit together? Asked before the first iteration."""

from __future__ import annotations

from collections.abc import Iterator

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from ...datasets import GrowingAugmentation
from ...models import HiCLR


@HOOKS.register_module()
class PretrainCheckHook(Hook):
    """Check data, views and model of a pre-training run against each other.

    ``tools/train.py`` calls :meth:`check` before ``Runner.train``, which would trip over
    a data set smaller than a batch while it makes the schedule.

    Raises:
        ValueError: Before the first iteration, with the setting and the remedy.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """Run the checks."""
        self.check(runner)

    def check(self, runner) -> None:
        """Run the checks on a runner that is built."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not isinstance(model, HiCLR):
            raise ValueError(
                f'PretrainCheckHook: the model is {type(model).__name__}, not HiCLR; '
                'remove the hook from custom_hooks.'
            )
        loader = runner.train_dataloader
        clips = len(loader.dataset)
        batch = loader.batch_size * runner.world_size
        if clips < batch:
            raise ValueError(
                f'train_dataloader.batch_size={loader.batch_size} on {runner.world_size} '
                f'process(es) needs {batch} clips a step, but the training set has '
                f'{clips}; make the batch smaller.'
            )
        queue_size = len(model.queue.features)
        if queue_size < batch:
            raise ValueError(
                f'queue_size={queue_size} is smaller than the batch of {batch} clips (all '
                'ranks together); make the queue larger or the batch smaller.'
            )
        if queue_size > clips:
            runner.logger.warning(
                f'queue_size={queue_size} is more than the {clips} clips of the training '
                'set: the queue will hold each clip several times, its own view among '
                'its negatives. A queue well below the number of clips learns better.'
            )
        for views in _growing_augmentations(loader.dataset):
            _check_levels(model, views)


def _check_levels(model: HiCLR, views: GrowingAugmentation) -> None:
    weights = model.head.level_weights
    if len(weights) != views.num_levels:
        raise ValueError(
            f'level_weights={weights} weighs {len(weights)} query levels, but '
            f'GrowingAugmentation makes {views.num_levels}; make them match.'
        )
    named = dict(
        graph_augment=model.edge_perturbation,
        ada_in=getattr(model.data_preprocessor, 'ada_in', None),
    )
    for setting, augmentation in named.items():
        for level in () if augmentation is None else augmentation.levels:
            if not -views.num_levels <= level < views.num_levels:
                raise ValueError(
                    f'{setting}.levels names level {level}, but the views have levels 0 '
                    f'to {views.num_levels - 1} (-1 is the strongest).'
                )


def _growing_augmentations(dataset) -> Iterator[GrowingAugmentation]:
    """The view-making transforms of a dataset, however it is wrapped."""
    for inner in getattr(dataset, 'datasets', None) or [
        getattr(dataset, 'dataset', None)
    ]:
        if inner is not None:
            yield from _growing_augmentations(inner)
    pipeline = getattr(dataset, 'pipeline', None)
    for transform in getattr(pipeline, 'transforms', ()):
        if isinstance(transform, GrowingAugmentation):
            yield transform
