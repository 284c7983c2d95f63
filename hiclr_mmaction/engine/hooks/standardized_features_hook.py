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

    Features of encoders differ in scale (an untrained one's vary by hundredths, a trained
    one's by tenths), and one learning rate cannot serve both. Each step is changed to the
    one that the classifier of the standardised features (mean 0 and variance 1 over the
    training set) would take. For SGD, with or without momentum and without weight decay,
    training is then exactly that; the weights stay those for the features as they are, so
    that checkpoints need nothing else.

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
