"""Linear evaluation as on standardised features, in a real run."""

import pytest
import torch
import torch.nn.functional as F
from helpers.configs import probe_config, save_pretrained
from mmengine.hooks import Hook
from mmengine.runner import Runner

EPOCHS = 4


class KeepsFeatures(Hook):
    """Keeps what training begins with."""

    def before_train_epoch(self, runner):
        if runner.epoch == 0:
            data = runner.train_dataloader.dataset
            self.features = data.features.flatten(1).clone()
            self.labels = torch.cat([s.gt_label for s in data.data_samples])
            fc = runner.model.cls_head.fc
            self.start = fc.weight.detach().clone(), fc.bias.detach().clone()


def train(tmp_path, *hooks, **options):
    checkpoint = save_pretrained(tmp_path / 'pretrained.pth')
    cfg = probe_config(
        tmp_path,
        checkpoint,
        **{
            # The whole set is a batch, so that its order plays no part.
            'train_dataloader.batch_size': 24,
            'train_cfg.max_epochs': EPOCHS,
            'optim_wrapper.optimizer': dict(lr=0.1, weight_decay=0),
            'param_scheduler': [],
            'custom_hooks': list(hooks),
            **options,
        },
    )
    runner = Runner.from_cfg(cfg)
    kept = KeepsFeatures()
    runner.register_hook(kept)
    runner.train()
    return kept, runner.model.cls_head.fc


def reference(kept):
    """The logits of the classifier trained on features that are standardised."""
    mean, std = kept.features.mean(0), kept.features.std(0)
    std[std == 0] = 1  # such a feature is 0, whatever it is divided by
    x = ((kept.features - mean) / std).double()
    weight, bias = (value.double() for value in kept.start)
    bias = bias + weight @ mean.double()
    weight = (weight * std).requires_grad_()
    bias.requires_grad_()
    optimizer = torch.optim.SGD([weight, bias], lr=0.1, momentum=0.9)
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        F.cross_entropy(x @ weight.T + bias, kept.labels).backward()
        optimizer.step()
    return (x @ weight.T + bias).detach().float()


def test_training_is_that_on_standardised_features(tmp_path):
    kept, fc = train(tmp_path, dict(type='StandardizedFeaturesHook'))
    logits = fc(kept.features).detach()
    torch.testing.assert_close(logits, reference(kept), rtol=1e-4, atol=1e-4)
    # The classifier of the features as they are is another one.
    kept, fc = train(tmp_path)
    assert (fc(kept.features).detach() - reference(kept)).abs().max() > 0.01


def test_needs_features(tmp_path):
    hook = dict(type='StandardizedFeaturesHook')
    with pytest.raises(ValueError, match='no features to standardise.*cache=True'):
        train(tmp_path, hook, **{'train_cfg.cache': False})
