"""A check of data, views and model before the first iteration."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.dataset import BaseDataset
from mmengine.dist import all_gather
from mmengine.hooks import Hook
from torch.utils.data import DataLoader, Subset

from ...datasets.labels import labels_of, place_of
from ...datasets.randomness import draws_taken_back
from ...datasets.wrapped import innermost
from ...evaluation.knn_metric import KNNMetric
from ...methods import SkeletonLearner
from ...models.modules import bare_model


@HOOKS.register_module()
class PretrainCheckHook(Hook):
    """Check data, views and model of a pre-training run against each other.

    Checks the sizes of the data, the joints and the labels of a k-NN, and takes a step on
    two clips, which is reverted. ``tools/train.py`` calls :meth:`check` before
    ``Runner.train``, which would fail without an explanation if the data set is smaller
    than a batch.

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
        if not isinstance(model, SkeletonLearner):
            raise ValueError(
                f'PretrainCheckHook: the model is {type(model).__name__}, not a '
                'SkeletonLearner; remove the hook from custom_hooks.'
            )
        problems = list(model.check(runner.cfg.get('model', {}), runner.cfg))
        if problems:
            raise ValueError('\n'.join(problems))
        loader = runner.train_dataloader
        clips = len(loader.dataset)
        batch = loader.batch_size * runner.world_size
        if clips < batch:
            raise ValueError(
                f'train_dataloader.batch_size={loader.batch_size} on {runner.world_size} '
                f'process(es) needs {batch} clips a step, but the training set has '
                f'{clips}; make the batch smaller.'
            )
        per_rank = [int(n) for n in all_gather(torch.tensor(len(loader.sampler)))]
        if len({*per_rank}) > 1:
            raise ValueError(
                f'train_dataloader.sampler gives the processes {per_rank} clips, but they '
                'must get as many each; leave out round_up=False, so that some clips are '
                'given twice.'
            )
        model.check_data(clips, batch)
        _try_step(model, loader)
        if runner.val_loop is not None:
            _compare_splits(runner, loader.dataset, runner.val_dataloader.dataset)
            if any(isinstance(m, KNNMetric) for m in runner.val_evaluator.metrics):
                _check_labels(runner.val_dataloader.dataset)


def _try_step(model: SkeletonLearner, loader: DataLoader) -> None:
    """The loss of two clips, after which the model and all generators are as before."""
    state = copy.deepcopy(model.state_dict())
    size = len(loader.dataset)  # type: ignore[arg-type]
    clips = Subset(loader.dataset, [0, min(1, size - 1)])
    with draws_taken_back(), torch.no_grad():
        (batch,) = DataLoader(clips, 2, collate_fn=loader.collate_fn)
        _check_joints(model, batch['inputs'])
        model.loss(**model.data_preprocessor(batch, training=True))
    model.load_state_dict(state)


def _check_joints(model: SkeletonLearner, inputs: Any) -> None:
    x = inputs['key'] if isinstance(inputs, dict) else inputs
    joints = (x if isinstance(x, torch.Tensor) else x[0]).shape[-2]
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


def _check_labels(val: BaseDataset) -> None:
    for part in innermost(val):
        if isinstance(part, BaseDataset) and not any(
            label is not None for label in labels_of(part)
        ):
            raise ValueError(
                f'{place_of(part)}: no clip has a label, which the k-NN of the validation '
                'needs; label some, or leave validation out (--no-validate).'
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
