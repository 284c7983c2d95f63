"""The backbone: widths, graphs, initialisation."""

import pytest
import torch
from mmaction.models import STGCN
from mmaction.registry import MODELS

from hiclr_mmaction.models.modules import pool_skeleton


def build(**kwargs):
    kwargs.setdefault('graph_cfg', dict(layout='nturgb+d', mode='stgcn_spatial'))
    return MODELS.build(dict(type='HiCLRSTGCN', **kwargs))


def test_default_widths_are_the_papers():
    model = build()
    widths = [block.gcn.out_channels for block in model.gcn]
    assert widths == [16] * 4 + [32] * 3 + [64] * 2 + [256]
    assert model(torch.randn(2, 2, 50, 25, 3)).shape == (2, 2, 256, 13, 25)


def test_is_the_stock_encoder_where_the_widths_agree():
    graph_cfg = dict(layout='nturgb+d', mode='stgcn_spatial')
    stock = STGCN(graph_cfg=dict(graph_cfg), base_channels=8, tcn_dropout=0.3)
    ours = build(base_channels=8, out_channels=32, tcn_dropout=0.3)
    ours.load_state_dict(stock.state_dict())
    assert repr(ours.gcn) == repr(stock.gcn)
    x = torch.randn(2, 1, 16, 25, 3)
    torch.testing.assert_close(ours.eval()(x), stock.eval()(x))
    ours.frames_first = False
    assert torch.equal(ours(x), stock(x))


def test_last_block_takes_its_own_value_of_a_list_and_strides_when_told():
    model = build(
        num_stages=4,
        inflate_stages=[3],
        down_stages=[4],
        tcn_dropout=[0, 0.1, 0.2, 0.4],
    )
    assert model.gcn[-1].tcn.drop.p == 0.4
    assert model(torch.randn(1, 1, 16, 25, 3)).shape == (1, 1, 256, 8, 25)


@pytest.mark.parametrize(
    ('layout', 'joints'),
    [
        ('kinect20', 20),
        ('openni15', 15),
        ('coco', 17),
        (dict(num_joints=3, bones=[(1, 0), (2, 0)], center=0), 3),
        (dict(num_node=4, inward=[(1, 0), (2, 0), (3, 0)], center=0), 4),
    ],
)
def test_takes_our_layouts_and_mmaction2s(layout, joints):
    model = build(graph_cfg=dict(layout=layout, mode='spatial'), out_channels=16)
    assert model(torch.randn(1, 1, 8, joints, 3)).shape[-1] == joints


def test_released_initialisation_reaches_every_block():
    init_cfg = [
        dict(type='Normal', layer=['Conv2d', 'Linear'], mean=0, std=0.02, bias=0),
        dict(
            type='Normal',
            layer=['BatchNorm1d', 'BatchNorm2d'],
            mean=1,
            std=0.02,
            bias=0,
        ),
    ]
    model = build(init_cfg=init_cfg)
    model.init_weights()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            assert 0.015 < module.weight.std() < 0.025, name
            assert (module.bias == 0).all()
        elif isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            assert 0.008 < module.weight.std() < 0.04, name
            assert (module.bias == 0).all()


def test_without_init_cfg_the_blocks_keep_their_own():
    model = build()
    model.init_weights()
    weight = model.gcn[1].tcn.conv.weight  # Kaiming, fan out: 16 * 9
    assert abs(weight.std() - (2 / (16 * 9)) ** 0.5) < 0.01


def test_widths_below_one_are_an_error():
    with pytest.raises(ValueError, match='out_channels=0'):
        build(out_channels=0)


def test_unknown_layout_is_an_error():
    with pytest.raises(ValueError, match="layout='ntu25' is unknown"):
        build(graph_cfg=dict(layout='ntu25', mode='spatial'))


BACKBONES = [
    dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial'),
        num_stages=2,
        base_channels=4,
        out_channels=6,
        inflate_stages=[2],
        down_stages=[2],
    ),
    dict(type='DSTANet', stages=[[4, 6, 4, 2]]),
]


@pytest.mark.parametrize('cfg', BACKBONES, ids=lambda cfg: cfg['type'])
class TestSkipAbsent:
    def build(self, cfg):
        torch.manual_seed(0)
        return MODELS.build(dict(cfg, skip_absent=True)).train()

    def features(self, model, x, skip):
        model.skip_absent = skip
        return pool_skeleton(model(x))

    def test_changes_nothing_where_all_are_there(self, cfg):
        model, x = self.build(cfg), torch.randn(3, 2, 8, 25, 3)
        features = [self.features(model, x, skip) for skip in (True, False)]
        torch.testing.assert_close(*features)

    def test_a_clip_of_one_body_has_the_features_of_that_body(self, cfg):
        model, x = self.build(cfg), torch.randn(3, 2, 8, 25, 3)
        x[0, 1] = x[1, 0] = x[2, 1] = 0
        alone = x[[0, 1, 2], [0, 1, 0]][:, None]
        expected = self.features(model, alone, skip=False)
        torch.testing.assert_close(self.features(model, x, skip=True), expected)

    def test_persons_of_a_clip_count_alike_and_stock_heads_take_them(self, cfg):
        model, x = self.build(cfg).eval(), torch.randn(2, 3, 8, 25, 3)
        x[0, 1] = 0
        feature_map = model(x)
        assert feature_map.shape[:3] == (2, 1, 6)
        bodies = pool_skeleton(model(x.flatten(0, 1)[:, None])).view(2, 3, 6)
        expected = torch.stack([bodies[0, [0, 2]].mean(0), bodies[1].mean(0)])
        torch.testing.assert_close(pool_skeleton(feature_map), expected)
        head = MODELS.build(dict(type='GCNHead', num_classes=5, in_channels=6))
        torch.testing.assert_close(head(feature_map), head.fc(expected))

    def test_a_clip_without_a_body_is_run_all_the_same(self, cfg):
        model, x = self.build(cfg), torch.randn(3, 2, 8, 25, 3)
        x[1] = 0
        for clips in (x, torch.zeros_like(x)):
            features = self.features(model, clips, skip=True)
            features.sum().backward()
            assert features.isfinite().all()
            assert all(p.grad.isfinite().all() for p in model.parameters())

    def test_is_off_by_default_and_absent_persons_reach_batch_norm_then(self, cfg):
        model, x = MODELS.build(cfg), torch.randn(3, 2, 8, 25, 3)
        assert not model.skip_absent
        x[:, 1] = 0
        features = [self.features(model, x, skip) for skip in (True, False)]
        assert not torch.allclose(*features)


def test_skip_absent_with_a_batch_norm_of_each_place_is_an_error():
    with pytest.raises(ValueError, match='MVC'):
        build(data_bn_type='MVC', skip_absent=True)


def test_blocks_begin_as_their_residuals_when_told():
    model = build(zero_init_residual=True)
    model.init_weights()
    x = torch.randn(4, 16, 12, 25)
    assert torch.equal(model.gcn[1](x), x.relu())
    assert not torch.equal(model.gcn[0](x[:, :3]), torch.zeros_like(x))


def test_pretrained_weights_are_kept_where_blocks_begin_as_residuals(tmp_path):
    path = str(tmp_path / 'weights.pth')
    before = build()
    before.init_weights()
    torch.save(before.state_dict(), path)
    init_cfg = dict(type='Pretrained', checkpoint=path)
    after = build(zero_init_residual=True, init_cfg=init_cfg)
    after.init_weights()
    weights = after.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in before.state_dict().items())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_stages=0), 'num_stages=0 is below 1'),
        (dict(in_channels=0), 'in_channels=0 is below 1'),
        (
            dict(graph_cfg=dict(layout='coco', mode='foo')),
            "mode='foo' is unknown; known are spatial",
        ),
    ],
)
def test_settings_out_of_range_are_named(options, message):
    cfg = dict(graph_cfg=dict(layout='coco', mode='spatial'))
    with pytest.raises(ValueError, match=message):
        build(**{**cfg, **options})
