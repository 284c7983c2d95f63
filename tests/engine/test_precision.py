"""Mixed precision, and gradients that are clipped, in a real runner."""

import pytest
import torch
from helpers.configs import synthetic_config
from mmengine.runner import Runner
from torch import nn

from hiclr_mmaction.engine import Float16OptimWrapper
from hiclr_mmaction.models import HierarchicalContrastHead, SkeletonProjector
from hiclr_mmaction.models.modules import pool_skeleton

BFLOAT16 = {'optim_wrapper.type': 'BFloat16OptimWrapper'}
FLOAT16 = {'optim_wrapper.type': 'Float16OptimWrapper'}


def train(tmp_path, **options):
    """Three steps; returns the runner, its losses and the types of what layers give."""
    cfg = synthetic_config(tmp_path, **options)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.pop('save_best')
    runner = Runner.from_cfg(cfg)
    seen = {}
    for name, module in runner.model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, HierarchicalContrastHead)):
            module.register_forward_hook(
                lambda module, args, out, name=name: seen.update({name: out.dtype})
            )
    runner.train()
    return runner, runner.message_hub.get_scalar('train/loss').data[0], seen


@pytest.mark.parametrize(
    ('options', 'dtype'), [(BFLOAT16, torch.bfloat16), (FLOAT16, torch.float16)]
)
def test_half_precision_trains_like_float32(tmp_path, options, dtype):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'b').mkdir()
    _, full, seen = train(tmp_path / 'a')
    assert set(seen.values()) == {torch.float32}
    runner, half, seen = train(tmp_path / 'b', **options)
    # The projector is exact: early in training clips differ by less than 8 bits tell.
    exact = {name for name in seen if 'mlp' in name}
    assert {seen[name] for name in exact} == {torch.float32}
    assert {seen[name] for name in seen.keys() - exact} == {dtype}
    # 8 bits of precision, three steps.
    torch.testing.assert_close(
        torch.tensor(half), torch.tensor(full), rtol=0.03, atol=0.03
    )
    # Weights, statistics, the key encoder and the queue stay float32.
    state = runner.model.state_dict().values()
    assert {v.dtype for v in state if v.is_floating_point()} == {torch.float32}


@pytest.mark.parametrize(
    ('loss_scale', 'scales'),
    [
        ('dynamic', [2.0**16] * 2),
        (512, [512.0] * 2),
        (dict(init_scale=8.0), [8.0] * 2),
    ],
)
def test_float16_scales_the_loss_as_asked(loss_scale, scales):
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    wrapper = Float16OptimWrapper(loss_scale=loss_scale, optimizer=optimizer)
    seen = []
    for _ in range(2):
        wrapper.update_params(weight.sum())
        seen.append(wrapper.loss_scaler.get_scale())
    assert seen == scales
    assert weight.item() == pytest.approx(0.8)  # the steps are of the unscaled loss


def test_a_loss_scale_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"optim_wrapper.loss_scale='dynamik'; give"):
        Float16OptimWrapper(
            'dynamik', optimizer=torch.optim.SGD([torch.ones(1)], lr=0.1)
        )


def test_the_loss_is_exact_in_mixed_precision():
    generator = torch.Generator().manual_seed(0)
    queries, key, queue = (
        nn.functional.normalize(torch.randn(n, 64, generator=generator), dim=1)
        for n in (12, 4, 32)
    )
    head = HierarchicalContrastHead()
    exact = head.loss(queries.chunk(3), key, queue)
    with torch.autocast('cpu', torch.bfloat16):
        mixed = head.loss(queries.chunk(3), key, queue)
    for name, value in exact.items():
        assert torch.equal(value, mixed[name]), name


def test_gradients_are_clipped_by_option(tmp_path):
    options = {
        'optim_wrapper.optimizer': dict(lr=1.0, momentum=0.0, weight_decay=0.0),
        'optim_wrapper.clip_grad': dict(max_norm=1e-3),
    }
    cfg = synthetic_config(tmp_path, **options)
    cfg.param_scheduler = None
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.pop('save_best')
    runner = Runner.from_cfg(cfg)
    runner.model.init_weights()
    before = [p.detach().clone() for p in runner.model.parameters() if p.requires_grad]
    runner.train()
    after = [p for p in runner.model.parameters() if p.requires_grad]
    moved = torch.cat(
        [(a - b).flatten() for a, b in zip(after, before, strict=True)]
    ).norm()
    assert 0 < moved <= 3 * 1e-3 * 1.01  # three steps with a learning rate of 1
    assert min(runner.message_hub.get_scalar('train/grad_norm').data[0]) > 1e-3


def test_features_that_differ_little_are_told_apart_in_mixed_precision():
    maps = 1 + 0.001 * torch.arange(4.0).view(4, 1, 1, 1, 1).expand(4, 1, 8, 6, 5)
    projector = SkeletonProjector(in_channels=8, out_channels=8)
    exact = projector(maps)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(projector(maps), exact)
        assert pool_skeleton(maps.bfloat16()).dtype == torch.float32
