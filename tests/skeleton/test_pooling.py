"""Pooling that keeps time and joints apart, and the parts that share it."""

import pytest
import torch
from mmaction.registry import MODELS

from hiclr_mmaction.skeleton import pool_map, pool_skeleton, pooled_channels


@pytest.fixture
def feature_map():
    return torch.randn(2, 2, 6, 8, 5)  # (N, M, C, T, V)


def test_by_default_all_frames_joints_and_persons_are_averaged(feature_map):
    torch.testing.assert_close(pool_skeleton(feature_map), feature_map.mean((1, 3, 4)))


def test_each_time_segment_is_a_mean_of_its_own(feature_map):
    pooled = pool_skeleton(feature_map, time=4)
    assert pooled.shape == (2, 6 * 4)
    second = feature_map[:, :, :, 2:4].mean((1, 3, 4))
    torch.testing.assert_close(pooled.unflatten(1, (6, 4))[:, :, 1], second)


def test_joints_are_kept_apart(feature_map):
    pooled = pool_skeleton(feature_map, time=2, joints=True).unflatten(1, (6, 2, 5))
    expected = feature_map[:, :, :, 4:, 3].mean((1, 3))
    torch.testing.assert_close(pooled[:, :, 1, 3], expected)


def test_the_deviation_over_time_stands_beside_the_means(feature_map):
    pool = dict(time=2, joints=True)
    pooled = pool_skeleton(feature_map, **pool, std=True).unflatten(1, (6, 3, 5))
    means = pool_skeleton(feature_map, **pool).unflatten(1, (6, 2, 5))
    torch.testing.assert_close(pooled[:, :, :2], means)
    expected = feature_map.std(3, correction=0).mean(1)
    torch.testing.assert_close(pooled[:, :, 2], expected)
    vector = pool_skeleton(feature_map, std=True).unflatten(1, (6, 2))
    torch.testing.assert_close(vector[:, :, 1], expected.mean(-1))


def test_the_deviation_of_a_still_clip_can_be_learnt_from():
    still = torch.ones(1, 1, 6, 8, 5, requires_grad=True)
    pool_skeleton(still, std=True).sum().backward()
    assert still.grad.isfinite().all()


@pytest.mark.parametrize('pool', [{}, dict(time=3), dict(time=4, joints=True)])
def test_pooling_again_changes_nothing(feature_map, pool):
    once = pool_map(feature_map, **pool)
    torch.testing.assert_close(pool_map(once[:, None], **pool), once)


def test_half_precision_is_averaged_in_float32(feature_map):
    half = feature_map.bfloat16()
    assert pool_skeleton(half).dtype == torch.float32
    assert pool_skeleton(half, time=4, joints=True).dtype == torch.float32


@pytest.mark.parametrize(
    'pool',
    [{}, dict(time=4), dict(time=4, joints=True), dict(time=4, joints=True, std=True)],
)
def test_width_is_what_pooling_gives(feature_map, pool):
    width = pooled_channels(6, 5, **pool)
    assert pool_skeleton(feature_map, **pool).shape == (2, width)


@pytest.mark.parametrize(
    ('pool', 'message'),
    [
        (dict(time=0), 'pool.time=0'),
        (dict(time=2.5), 'pool.time=2.5'),
        (dict(joints='all'), "pool.joints='all'"),
        (dict(std=1), 'pool.std=1'),
        (dict(joints=True), 'needs num_joints'),
    ],
)
@pytest.mark.parametrize('kind', ['SkeletonProjector', 'PooledGCNHead'])
def test_settings_out_of_range_are_named(kind, pool, message):
    cfg = dict(type=kind, in_channels=6, pool=pool)
    if kind == 'PooledGCNHead':
        cfg['num_classes'] = 3
    with pytest.raises(ValueError, match=message):
        MODELS.build(cfg)


def test_projector_and_head_learn_from_when_and_where(feature_map):
    pool, reversed_map = dict(time=4, joints=True), feature_map.flip(-2)
    for cfg in (
        dict(type='SkeletonProjector', in_channels=6, out_channels=3),
        dict(type='PooledGCNHead', in_channels=6, num_classes=3),
    ):
        blind = MODELS.build(cfg)
        torch.testing.assert_close(blind(feature_map), blind(reversed_map))
        seeing = MODELS.build(dict(cfg, pool=pool, num_joints=5))
        assert seeing(feature_map).shape == (2, 3)
        assert (seeing(feature_map) - seeing(reversed_map)).abs().max() > 1e-3


def test_head_without_pool_is_mmactions():
    torch.manual_seed(0)
    stock = MODELS.build(dict(type='GCNHead', in_channels=6, num_classes=3))
    ours = MODELS.build(dict(type='PooledGCNHead', in_channels=6, num_classes=3))
    ours.load_state_dict(stock.state_dict())
    x = torch.randn(2, 2, 6, 8, 5)
    torch.testing.assert_close(ours(x), stock(x))
