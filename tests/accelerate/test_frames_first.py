"""The fast way through ST-GCN's blocks gives what the stock one gives."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.models.backbones.stgcn import STGCNBlock
from mmaction.registry import MODELS
from torch.nn.modules import module as torch_module

from hiclr_mmaction.accelerate import suits_frames_first
from hiclr_mmaction.accelerate.frames_first import (
    _draw_kept,
    _forward_block,
    fourier_matrices,
)
from hiclr_mmaction.models.modules import EdgePerturbation


def build(**kwargs):
    defaults = dict(base_channels=4, num_stages=3, inflate_stages=[2], down_stages=[2])
    kwargs = dict(defaults, out_channels=96) | kwargs
    graph_cfg = dict(layout='nturgb+d-stgcn', mode='stgcn_spatial')
    model = MODELS.build(dict(type='HiCLRSTGCN', graph_cfg=graph_cfg, **kwargs))
    model.init_weights()
    for name, value in model.named_parameters():
        if not name.endswith('.A'):  # biases and edges of their own
            torch.nn.init.normal_(value, value.mean().item(), 0.1)
    return model.double()


def clips(num=1, dtype=torch.float64):
    return torch.randn(num, 2, 13, 25, 3, dtype=dtype)


def outcome(model, frames_first, x, cotangent, forward=None):
    """Output, gradients and running statistics of one training forward and backward."""
    buffers = {k: v.clone() for k, v in model.named_buffers()}
    model.frames_first = frames_first
    x = x.clone().requires_grad_()
    model.zero_grad()
    torch.manual_seed(1)
    out = model(x) if forward is None else forward(model, x)
    out.backward(cotangent.expand_as(out))
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    statistics = {name: b.clone() for name, b in model.named_buffers()}
    model.load_state_dict(buffers, strict=False)
    return dict(out=out.detach(), x=x.grad, gradients=gradients, statistics=statistics)


@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize(
    'kwargs',
    [
        dict(),
        dict(gcn_adaptive='init'),
        dict(gcn_adaptive='offset'),
        dict(gcn_adaptive=None),
        dict(data_bn_type='MVC'),
        dict(base_channels=3, down_stages=[2, 3]),
        dict(tcn_norm=dict(type='BN', momentum=None)),
        dict(gcn_norm=dict(type='BN', track_running_stats=False)),
    ],
)
def test_equals_the_stock_blocks_in_all_that_training_sees(kwargs, train):
    torch.manual_seed(0)
    model = build(**kwargs).train(train)
    x, cotangent = clips(3), torch.randn(3, 2, 96, 1, 25, dtype=torch.float64)
    assert suits_frames_first(model, x)
    stock = outcome(model, False, x, cotangent)
    fast = outcome(model, True, x, cotangent)
    torch.testing.assert_close(fast, stock, rtol=1e-8, atol=1e-10)


def test_equals_the_stock_blocks_under_perturbed_edges():
    """Backward runs when the backbone has its own edges again."""
    model = build()
    perturbation = EdgePerturbation(model, drop=0.5, add=0.5)
    x, cotangent = clips(3), torch.randn(3, 2, 96, 1, 25, dtype=torch.float64)
    stock = outcome(model, False, x, cotangent, perturbation)
    fast = outcome(model, True, x, cotangent, perturbation)
    torch.testing.assert_close(fast, stock, rtol=1e-8, atol=1e-10)
    assert not torch.allclose(fast['out'], outcome(model, True, x, cotangent)['out'])


@pytest.mark.parametrize('place', ['gcn.0', 'gcn.1.tcn.conv', 'gcn.2.gcn.bn'])
@pytest.mark.parametrize(
    'register',
    [
        'register_forward_hook',
        'register_forward_pre_hook',
        'register_full_backward_hook',
        'register_full_backward_pre_hook',
    ],
)
def test_a_hook_on_a_block_or_in_one_is_called(place, register):
    model, x, calls = build(), clips(), []
    handle = getattr(model.get_submodule(place), register)(
        lambda *args: calls.append(args)
    )
    model(x).sum().backward()
    assert len(calls) == 1
    handle.remove()
    assert suits_frames_first(model, x)


@pytest.mark.parametrize('place', ['gcn', 'tcn', 'residual'])
def test_a_convolution_of_another_kind_is_called(place):
    class Counted(torch.nn.Conv2d):
        calls = 0

        def forward(self, x):
            Counted.calls += 1
            return super().forward(x)

    model = build()
    part = getattr(model.gcn[1], place)
    part.conv.__class__ = Counted
    model(clips())
    assert Counted.calls == 1


def test_a_hook_on_all_modules_is_called():
    model, calls = build(), []
    handle = torch_module.register_module_forward_hook(
        lambda module, args, out: calls.append(module)
    )
    try:
        model(clips())
    finally:
        handle.remove()
    assert {*model.gcn} <= {*calls}


def test_a_forward_of_ones_own_is_called():
    model, x = build(), clips()
    block = model.gcn[1]
    block.forward = lambda x: 2 * STGCNBlock.forward(block, x)
    assert not suits_frames_first(model, x)


def test_keeps_little_until_backward():
    """In maps of a block's size: input, what the last norm takes, dropout's draw."""
    model = build(num_stages=4, inflate_stages=[], tcn_dropout=0.5, out_channels=4)
    x = torch.randn(8, 1, 16, 25, 3, dtype=torch.float64)
    size = 8 * 16 * 25 * 4 * 8

    def kept(frames_first):
        model.frames_first = frames_first
        found = {}

        def pack(saved):
            storage = saved.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
            return saved

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
            out = model(x)  # held, so that no address is given twice
        assert out.requires_grad
        large = [n for n in found.values() if n >= size / 16]
        return sum(large) / size / len(model.gcn)

    assert kept(True) < 2.5
    assert kept(False) > 4


@pytest.mark.parametrize(
    'kwargs',
    [
        dict(tcn_type='mstcn', base_channels=8),
        dict(gcn_with_res=True),
        dict(gcn_conv_pos='post'),
        dict(gcn_act='LeakyReLU'),
        dict(gcn_norm=dict(type='BN', affine=False)),
    ],
)
def test_takes_the_stock_way_where_a_part_is_not_known(kwargs):
    model, x = build(**kwargs).float(), clips(dtype=torch.float32)
    assert not suits_frames_first(model, x)
    assert model(x).isfinite().all()


def test_takes_the_stock_way_under_autocast_and_tracing():
    model, x = build().float().eval(), clips(dtype=torch.float32)
    assert suits_frames_first(model, x)
    with torch.autocast('cpu', torch.bfloat16):
        assert not suits_frames_first(model, x)
        assert model(x).isfinite().all()
    kinds = {node.kind() for node in torch.jit.trace(model, x).inlined_graph.nodes()}
    assert 'aten::bmm' not in kinds


@pytest.mark.parametrize('size', [1, 3, 9])
@pytest.mark.parametrize('stride', [1, 2, 3])
@pytest.mark.parametrize('frames', [1, 2, 12, 13])
def test_fourier_matrices_are_the_convolution(frames, stride, size):
    for padding in {0, size // 2} if frames >= size else {size // 2}:
        if frames + 2 * padding < size:
            continue
        x = torch.randn(1, 1, frames, dtype=torch.float64)
        weight = torch.randn(1, 1, size, dtype=torch.float64)
        A, B, S = fourier_matrices(frames, size, stride, padding)
        got = S @ ((A @ x[0, 0]) * (B @ weight[0, 0]))
        expected = F.conv1d(x, weight, stride=stride, padding=padding)
        torch.testing.assert_close(got, expected[0, 0])


def test_a_wide_block_rounds_like_a_convolution():
    model = build(out_channels=256).eval()
    x = clips(4)
    with torch.no_grad():
        exact = model(x)
        fast = model.float()(x.float())
        model.frames_first = False
        stock = model(x.float())
    assert (fast - exact).norm() < 3 * (stock - exact).norm()


class TestDropout:
    @pytest.mark.parametrize('rate', [0.25, 0.5, 0.3])
    def test_drops_and_scales_at_its_rate_and_the_gradient_follows(self, rate):
        block = STGCNBlock(3, 8, torch.eye(25)[None], residual=False, tcn_dropout=rate)
        block.double()
        norm = block.tcn.bn
        torch.nn.init.constant_(norm.bias, 20.0)  # nothing for the ReLU to cut
        x = torch.randn(1, 3, 200, 500, dtype=torch.float64)
        x = x.to(memory_format=torch.channels_last)
        out = _forward_block(block, x)
        block.tcn.drop.p = 0.0
        whole = _forward_block(block, x)
        kept = out != 0
        assert abs(kept.float().mean() - (1 - rate)) < 4e-3
        torch.testing.assert_close(out[kept], whole[kept] / (1 - rate))
        out.sum().backward()
        expected = kept.sum((0, 2, 3)).double() / (1 - rate)
        torch.testing.assert_close(norm.bias.grad, expected)

    def test_draws_each_element_on_its_own(self):
        x = torch.ones(1, 16, 500, 100).to(memory_format=torch.channels_last)
        kept = _draw_kept(x, 0.5).permute(0, 2, 3, 1)
        assert kept.is_contiguous()
        kept = kept.flatten().float()
        for lag in (1, 2, 7, 8, 16):
            together = (kept[lag:] * kept[:-lag]).mean()
            assert abs(together - 0.25) < 4e-3, lag

    def test_is_off_in_evaluation(self):
        model, x = build(tcn_dropout=0.5).eval(), clips()
        assert torch.equal(model(x), model(x))
