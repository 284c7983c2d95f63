"""Does everything fit together? Asked before the first iteration."""

from __future__ import annotations

from collections.abc import Iterator

from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from ...datasets.randomness import draws_taken_back
from ...datasets.wrapped import innermost
from ...methods import HiCLR
from ...models.modules import bare_model
from ...views import DeviceViews, DrawnViews, GrowingAugmentation
from ..config_check import bad_levels


@HOOKS.register_module()
class PretrainCheckHook(Hook):
    """Check data, views and model of a pre-training run against each other.

    ``tools/train.py`` calls :meth:`check` before ``Runner.train``, which would trip over
    a data set smaller than a batch while it makes the schedule.

    Raises:
        ValueError: Before the first iteration, with the setting and the remedy.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._checked = False

    def before_train(self, runner) -> None:
        """Run the checks."""
        self.check(runner)

    def check(self, runner) -> None:
        """Run the checks, once, on a runner that is built."""
        if self._checked:
            return
        self._checked = True
        model = bare_model(runner.model)
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
        for where, views in _growing_augmentations(model, loader.dataset):
            _check_levels(model, views, where)
        _check_joints(model, loader.dataset)
        if runner.val_loop is not None:
            _compare_splits(runner, loader.dataset, runner.val_dataloader.dataset)


def _check_levels(model: HiCLR, views: GrowingAugmentation, where: str) -> None:
    named = {
        'graph_augment': model.edge_perturbation,
        'ada_in': getattr(model.data_preprocessor, 'ada_in', None),
    }
    levels = {name: getattr(part, 'levels', None) for name, part in named.items()}
    weights = model.head.level_weights
    for problem in bad_levels(weights, views.num_levels, levels, where):
        raise ValueError(problem)


def _check_joints(model: HiCLR, dataset) -> None:
    # The draws of this one sample are taken back: the check changes no run.
    with draws_taken_back():
        inputs = dataset[0]['inputs']
    made = isinstance(inputs, dict | DrawnViews)
    if made == (_device_views(model) is not None):
        raise ValueError(
            'train_dataloader.dataset.pipeline makes views, and so does '
            'model.data_preprocessor; remove GrowingAugmentation from the pipeline, or '
            'set model.data_preprocessor.views=None.'
            if made
            else 'train_dataloader.dataset.pipeline packs clips, not views; add '
            'GrowingAugmentation before PackSkeletonViews, or set '
            'model.data_preprocessor.views=dict(levels=[...]).'
        )
    if isinstance(inputs, DrawnViews):
        inputs = inputs.clip
    joints = (inputs['key'] if isinstance(inputs, dict) else inputs).shape[-2]
    named = {
        'model.data_preprocessor.layout': getattr(
            model.data_preprocessor, 'layout', None
        ),
        'model.backbone.graph_cfg.layout': getattr(model.backbone, 'graph', None),
    }
    for setting, layout in named.items():
        # Ours call it num_joints, MMAction2's graph num_node.
        expected = getattr(layout, 'num_joints', getattr(layout, 'num_node', joints))
        if expected != joints:
            raise ValueError(
                f'{setting} has {expected} joints, but the clips have {joints}; name the '
                'layout of the data there.'
            )


def _compare_splits(runner, train, val) -> None:
    trained = {d.split for d in innermost(train) if getattr(d, 'split', None)}
    validated = {d.split for d in innermost(val) if getattr(d, 'split', None)}
    if trained and validated and not trained & validated:
        runner.logger.warning(
            f'Training is on {sorted(trained)}, validation on {sorted(validated)}: clips '
            'that are trained on may be among those that are classified. Set '
            'val_dataloader.dataset.datasets.0.split (the bank) and ...1.split too.'
        )


def _device_views(model: HiCLR) -> DeviceViews | None:
    return getattr(model.data_preprocessor, 'views', None)


def _growing_augmentations(
    model: HiCLR, dataset
) -> Iterator[tuple[str, GrowingAugmentation]]:
    """The transforms that make the views, and what to call them."""
    views = _device_views(model)
    if views is not None:
        yield 'model.data_preprocessor.views', views.growing
    for part in innermost(dataset):
        pipeline = getattr(part, 'pipeline', None)
        for transform in getattr(pipeline, 'transforms', ()):
            if isinstance(transform, GrowingAugmentation):
                yield 'GrowingAugmentation', transform
