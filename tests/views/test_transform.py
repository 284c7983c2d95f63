"""Transforms written outside of the package: two methods, and what they do to joints."""

import numpy as np
import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.registry import MODELS

from hiclr_mmaction.views import (
    GrowingAugmentation,
    SkeletonTransform,
    draw_seed,
    from_seed,
)


class Scale(SkeletonTransform):
    def draw(self, n, generator=None):
        return dict(factor=1 + torch.rand(n, generator=generator))

    def apply(self, x, factor):
        return x * factor[:, None, None, None, None]


class MaskHands(SkeletonTransform):
    """Masks some frames of the last joint."""

    masks_joints = True

    def draw(self, n, generator=None):
        return dict(seed=draw_seed(generator))

    def apply(self, x, seed):
        n, _, frames, joints, _ = x.shape
        drawn = torch.rand(n, frames, 1, generator=from_seed(seed, x.device)) < 0.5
        return drawn & (torch.arange(joints) == joints - 1)


class TurnJoints(SkeletonTransform):
    reorders_joints = True

    def draw(self, n, generator=None):
        return dict(by=torch.randint(1, 25, (n,), generator=generator))

    def apply(self, x, by):
        return torch.stack([c.roll(int(b), -2) for c, b in zip(x, by, strict=True)])


def generator():
    return torch.Generator().manual_seed(0)


def test_base_hands_on_only_the_samples_that_it_chose():
    x = torch.ones(200, 1, 4, 25, 3)
    transform = Scale(prob=0.25)
    rows, draws = transform.sample(200, generator())
    assert len(rows) == len(draws['factor'])
    out = transform.change(x, rows, draws)
    assert torch.equal(out[rows, 0, 0, 0, 0], draws['factor'])
    others = torch.ones(200, dtype=torch.bool)
    others[rows] = False
    assert torch.equal(out[others], x[others])
    assert 25 < len(rows) < 75
    assert (x == 1).all()


@pytest.mark.parametrize('prob', [0, 0.5, 1])
def test_mask_is_false_for_the_samples_that_were_not_chosen(prob):
    mask = MaskHands(prob)
    x = torch.randn(40, 2, 12, 25, 3)
    rows, draws = mask.sample(40, generator())
    out = mask.change(x, rows, draws)
    assert out.shape == (40, 12, 25)
    chosen = range(40) if rows is None else rows.tolist()
    assert out.flatten(1).any(1).nonzero().flatten().tolist() == list(chosen)


def test_all_of_them_work_in_a_pipeline():
    clip = np.random.randn(2, 12, 25, 3)
    for transform in (Scale(), MaskHands(), TurnJoints()):
        out = transform(dict(keypoint=clip))['keypoint']
        assert out.shape == clip.shape
        assert not np.array_equal(out, clip.astype(np.float32))
    masked = MaskHands()(dict(keypoint=clip))['keypoint'] == 0
    assert masked[:, :, 24].any()
    assert not masked[:, :, :24].any()


@pytest.mark.parametrize('in_pipeline', [False, True])
def test_mask_of_ones_own_reaches_the_learnable_value(tmp_path, in_pipeline):
    cfg = synthetic_config(tmp_path)
    levels = [[], [], [MaskHands()]]
    cfg.model.data_preprocessor.views = None
    model = MODELS.build(cfg.model)
    x = torch.randn(4, 1, 24, 25, 3)
    growing = GrowingAugmentation(levels)
    if in_pipeline:
        views = [growing(dict(keypoint=clip.numpy()))['views'] for clip in x]
        inputs = dict(
            key=[v['key'] for v in views],
            queries=[[v['queries'][i] for v in views] for i in range(3)],
            mask=[v['mask'][2] for v in views],
        )
    else:
        model.data_preprocessor.views = growing
        inputs = x
    inputs = model.data_preprocessor(dict(inputs=inputs), training=True)['inputs']
    assert all(torch.equal(view, x) for view in inputs['queries'])
    loss = model.loss(inputs, None)['loss_level2']
    loss.backward()
    assert model.mask_token.grad.abs() > 0


def test_what_reorders_joints_after_a_mask_is_refused_when_grown():
    levels = [[Scale()], [MaskHands()], [TurnJoints()]]
    GrowingAugmentation(levels)
    GrowingAugmentation([[TurnJoints()], [MaskHands()], [Scale()]], grown=True)
    with pytest.raises(ValueError, match='TurnJoints in level 2 would reorder'):
        GrowingAugmentation(levels, grown=True)
