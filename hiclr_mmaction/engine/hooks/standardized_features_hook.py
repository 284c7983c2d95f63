"""Linear evaluation that does not depend on the scale of the features."""

from __future__ import annotations

from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from torch import Tensor

from ...models.modules import bare_model


@HOOKS.register_module()
class StandardizedFeaturesHook(Hook):
    """Train the classifier of :class:`LinearProbeLoop` as on standardised features.

    The scale of features depends on the encoder (features of an untrained one vary by
    hundredths, of a trained one by tenths), so one learning rate does not suit all. The
    hook replaces each step by the step of a classifier of standardised features (mean 0 and
    variance 1 over the training set). For SGD without weight decay, with or without
    momentum, this is exact. The weights remain those of a classifier of raw features, so
    checkpoints need nothing else.

    Raises:
        ValueError: Before the first iteration, if the loop keeps no features.
    """

    def before_train(self, runner) -> None:
        """Measure the features of the training set, and hang on to the optimiser."""
        features = getattr(runner.train_dataloader.dataset, 'features', None)
        if features is None:
            raise ValueError(
                'StandardizedFeaturesHook: there are no features to standardise; use '
                "train_cfg=dict(type='LinearProbeLoop') with cache=True, or remove the "
                'hook from custom_hooks.'
            )
        model = bare_model(runner.model)
        classifier = model.cls_head.fc
        var, mean = torch.var_mean(features.flatten(0, 1).flatten(1), dim=0)
        # Constant features carry no information, and would be divided by 0.
        scale = torch.where(var > 0, 1 / var, 0.0).to(classifier.weight)
        mean = mean.to(classifier.weight)

        def change_step(*_: Any) -> None:
            _standardize(classifier.weight.grad, classifier.bias.grad, mean, scale)

        runner.optim_wrapper.optimizer.register_step_pre_hook(change_step)


def _standardize(weight: Tensor, bias: Tensor, mean: Tensor, scale: Tensor) -> None:
    """Gradients for raw features, in place, into those steps' for standardised ones.

    With x' = (x - mean) / std the classifier is W' = W std, b' = b + W mean. Its
    gradients are G' = (G - g mean^T) / std and g' = g, and a step D', d' of it is the
    step D = D' / std, d = d' - D mean of the classifier of x.
    """
    weight.sub_(torch.outer(bias, mean)).mul_(scale)
    bias.sub_(weight @ mean)
