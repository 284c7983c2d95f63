"""The fast way through ST-GCN's blocks gives what the stock one gives."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.models.backbones.stgcn import STGCNBlock
from mmaction.registry import MODELS

from hiclr_mmaction.accelerate import frames_first
from hiclr_mmaction.accelerate.frames_first import (
    fourier_conv,
    fourier_conv_backward,
    fourier_matrices,
    runs_frames_first,
)


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


def outcome(model, frames_first, x, cotangent):
    """Output, gradients and running statistics of one training forward and backward."""
    buffers = {k: v.clone() for k, v in model.named_buffers()}
    model.frames_first = frames_first
    x = x.clone().requires_grad_()
    model.zero_grad()
    out = model(x)
    out.backward(cotangent.expand_as(out))
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    statistics = {name: b.clone() for name, b in model.named_buffers()}
    model.load_state_dict(buffers, strict=False)
    return dict(out=out.detach(), x=x.grad, gradients=gradients, statistics=statistics)


@pytest.fixture
def counted(monkeypatch):
    """How often the fast way was taken."""
    calls = []
    apply = frames_first.forward_block

    def counting(block, x):
        calls.append(block)
        return apply(block, x)

    monkeypatch.setattr(
        'hiclr_mmaction.models.backbones.hiclr_stgcn.forward_block', counting
    )
    return calls


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
def test_equals_the_stock_blocks_in_all_that_training_sees(kwargs, train, counted):
    torch.manual_seed(0)
    model = build(**kwargs).train(train)
    x = torch.randn(3, 2, 13, 25, 3, dtype=torch.float64)
    cotangent = torch.randn(3, 2, 96, 1, 25, dtype=torch.float64)
    stock = outcome(model, False, x, cotangent)
    assert not counted
    fast = outcome(model, True, x, cotangent)
    assert len(counted) == len(model.gcn)
    torch.testing.assert_close(fast, stock, rtol=1e-8, atol=1e-10)


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


def test_takes_the_stock_way_where_a_part_is_not_known_or_the_input_is_not(counted):
    x = torch.randn(1, 1, 16, 25, 3)
    for kwargs in (
        dict(tcn_type='mstcn', base_channels=8),
        dict(gcn_with_res=True),
        dict(gcn_conv_pos='post'),
        dict(gcn_act='LeakyReLU'),
        dict(gcn_norm=dict(type='BN', affine=False)),
    ):
        assert build(**kwargs).float()(x).isfinite().all()
    model = build().float()
    with torch.autocast('cpu', torch.bfloat16):
        model(x)
    torch.jit.trace(model.eval(), x, check_trace=False)
    assert not counted
    model(x)
    assert counted


def test_wide_convolutions_go_by_fourier_and_narrow_ones_do_not(monkeypatch):
    seen = []
    monkeypatch.setattr(
        frames_first,
        'fourier_conv',
        lambda x, w, *args: seen.append(len(w)) or fourier_conv(x, w, *args),
    )
    stages = dict(num_stages=10, inflate_stages=[5, 8], down_stages=[5, 8])
    model = build(base_channels=16, out_channels=256, **stages).float()
    model(torch.randn(1, 1, 50, 25, 3))
    assert seen == [32, 32, 64, 64, 256]


@pytest.fixture
def in_parts(monkeypatch):
    """Few positions at a time, the last of them fewer."""
    monkeypatch.setattr(frames_first, '_POSITIONS', 3)


@pytest.mark.usefixtures('in_parts')
@pytest.mark.parametrize('size', [1, 3, 9])
@pytest.mark.parametrize('stride', [1, 2, 3])
@pytest.mark.parametrize('frames', [1, 2, 12, 13])
def test_fourier_convolution_is_the_convolution(frames, stride, size):
    for padding in {0, size // 2} if frames >= size else {size // 2}:
        if frames + 2 * padding < size:
            continue
        x = torch.randn(1, 5, frames, 4, dtype=torch.float64)
        weight = torch.randn(6, 5, size, 1, dtype=torch.float64)
        bias = torch.randn(6, dtype=torch.float64)
        matrices = fourier_matrices(frames, size, stride, padding, torch.float64)
        inputs = [v.requires_grad_() for v in (x, weight, bias)]
        got = fourier_conv(*(v.detach() for v in inputs), *matrices)
        expected = F.conv2d(*inputs, stride=(stride, 1), padding=(padding, 0))
        torch.testing.assert_close(got, expected)
        cotangent = torch.randn_like(expected)
        torch.testing.assert_close(
            fourier_conv_backward(x.detach(), weight.detach(), cotangent, *matrices),
            torch.autograd.grad(expected, inputs, cotangent),
        )


def test_fourier_convolution_of_the_last_block_rounds_like_a_convolution():
    x, weight = torch.randn(1, 256, 13, 50), torch.randn(256, 256, 9, 1)
    exact = F.conv2d(x.double(), weight.double(), padding=(4, 0))
    matrices = fourier_matrices(13, 9, 1, 4, torch.float32)
    assert len(matrices[0]) == 25
    fast = fourier_conv(x, weight, torch.zeros(256), *matrices)
    assert (fast - exact).norm() / exact.norm() < 1e-6


class TestDropout:
    @pytest.mark.parametrize('rate', [0.25, 0.5, 0.3])
    def test_drops_and_scales_as_told_and_the_gradient_follows(self, rate):
        block = STGCNBlock(3, 8, torch.eye(25)[None], residual=False, tcn_dropout=rate)
        assert runs_frames_first(block)
        x = torch.rand(1, 8, 200, 500).to(memory_format=torch.channels_last) + 1
        leaf = x.clone().requires_grad_()
        out = frames_first._DropAddReLU.apply(leaf.clone(), 0, rate)
        kept = out != 0
        assert abs(kept.float().mean() - (1 - rate)) < 4e-3
        torch.testing.assert_close(out[kept], x[kept] / (1 - rate))
        out.sum().backward()
        torch.testing.assert_close(leaf.grad, kept / (1 - rate))

    def test_draws_each_element_on_its_own(self):
        x = torch.ones(1, 16, 500, 100).to(memory_format=torch.channels_last)
        flat = x.permute(0, 2, 3, 1)
        kept = frames_first._draw_kept(x, 0.5).permute(0, 2, 3, 1).flatten().float()
        assert flat.is_contiguous()
        for lag in (1, 2, 7, 8, 16):
            together = (kept[lag:] * kept[:-lag]).mean()
            assert abs(together - 0.25) < 4e-3, lag

    def test_is_off_in_evaluation(self):
        model = build(tcn_dropout=0.5).eval()
        x = torch.randn(1, 1, 16, 25, 3, dtype=torch.float64)
        assert torch.equal(model(x), model(x))
