"""Pooling that keeps time and joints apart, and the parts that share it."""

import pytest
import torch
from mmaction.registry import MODELS

from hiclr_mmaction.skeleton import (
    check_layers,
    layer_features,
    pool_map,
    pool_skeleton,
    pooled_channels,
    side_by_side,
)


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


def test_head_counts_the_joints_of_a_layout():
    cfg = dict(
        type='PooledGCNHead', in_channels=6, num_classes=3, pool=dict(joints=True)
    )
    assert MODELS.build(dict(cfg, layout='kinect20')).fc.in_features == 6 * 20


class Backbone(torch.nn.Module):
    """Two blocks as MMAction2's: ``(N, M, T, V, C)`` in, ``(N * M, C', T, V)`` inside."""

    def __init__(self):
        super().__init__()
        self.gcn = torch.nn.ModuleList(torch.nn.Conv2d(3, 3, 1) for _ in range(2))

    def forward(self, x):
        out = x.flatten(0, 1).permute(0, 3, 1, 2)
        for block in self.gcn:
            out = block(out)
        return out.unflatten(0, x.shape[:2])


def test_without_layers_only_the_last_map_is_pooled():
    backbone, x = Backbone(), torch.randn(2, 2, 8, 5, 3)
    (found,) = layer_features(backbone, x, dict(time=2))
    torch.testing.assert_close(found, pool_skeleton(backbone(x), time=2))


def test_features_of_a_layer_are_those_of_its_map():
    backbone, x = Backbone(), torch.randn(2, 2, 8, 5, 3)
    first, last = layer_features(
        backbone, x, dict(time=2, joints=True, layers=['gcn.0'])
    )
    inner = backbone.gcn[0](x.flatten(0, 1).permute(0, 3, 1, 2)).unflatten(0, (2, 2))
    for found, expected in ((first, inner), (last, backbone(x))):
        pooled = pool_skeleton(expected, time=2, joints=True)
        torch.testing.assert_close(found, pooled)
    both = side_by_side([first, last])
    torch.testing.assert_close(both[:, :30], torch.nn.functional.normalize(first))
    assert side_by_side([last]) is last
    assert not any(block._forward_hooks for block in backbone.gcn)


def test_a_compiled_backbone_still_gives_its_layers():
    backbone, x = Backbone().eval(), torch.randn(2, 1, 8, 5, 3)
    expected = layer_features(backbone, x, dict(layers=['gcn.0']))
    backbone.compile(backend='eager')
    backbone(x)
    for found, other in zip(
        layer_features(backbone, x, dict(layers=['gcn.0'])), expected, strict=True
    ):
        torch.testing.assert_close(found, other)


@pytest.mark.parametrize(
    ('layers', 'message'),
    [
        (['gcn.7'], r"no block 'gcn\.7'; name some of gcn\.0, gcn\.1, or none"),
        (['gcn'], "block 'gcn' gives no feature map"),
    ],
)
def test_layers_that_cannot_be_pooled_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        layer_features(Backbone(), torch.randn(2, 1, 8, 5, 3), dict(layers=layers))


def test_one_name_is_no_list_of_layers():
    with pytest.raises(ValueError, match='give a list of names'):
        check_layers(layers='gcn.0')


def test_a_block_that_leaves_persons_out_is_refused():
    class OfOne(Backbone):
        def forward(self, x):
            return super().forward(x[:, :1])

    with pytest.raises(ValueError, match='leaves persons out'):
        layer_features(OfOne(), torch.randn(2, 2, 8, 5, 3), dict(layers=['gcn.0']))
