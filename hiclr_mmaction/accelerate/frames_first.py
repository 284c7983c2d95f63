"""The blocks of MMAction2's ``STGCN`` on maps laid out frames first, faster on a CPU.

Feature maps ``(1, C, T, V * N)`` are channels-last in memory: frames, then joints, clips
and channels. Each part of a block is then a large matrix product, or reads memory in order:

- the graph convolution mixes joints before channels, when a widening block is still narrow;
- the temporal convolution of a wide block is a product of Fourier coefficients, with a
  quarter of the multiplications; narrow blocks use PyTorch's convolution;
- dropout draws one byte per element.

To save memory, the backward pass computes the first half of a block again.
``docs/performance.md`` lists the effect of each part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models.backbones.stgcn import STGCN, STGCNBlock
from mmaction.models.utils import unit_gcn, unit_tcn
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook
from torch.utils.checkpoint import checkpoint

_HOOKS = (
    '_forward_pre_hooks',
    '_forward_hooks',
    '_backward_pre_hooks',
    '_backward_hooks',
)


def suits_frames_first(backbone: STGCN, x: Tensor) -> bool:
    """Whether :func:`forward_frames_first` can replace the stock forward.

    It can for float32 and float64 on a CPU, without autocast, compilation or tracing, and
    for known kinds of blocks. If a hook is registered on a block, on a module inside it or
    globally, the stock forward is needed, because only that calls hooks.
    """
    return (
        type(x) is Tensor  # not the fake one of an export
        and x.device.type == 'cpu'
        and x.dtype in (torch.float32, torch.float64)
        and not torch.is_autocast_enabled('cpu')
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and not _has_any_global_hook()
        and not any(_is_hooked(module) for module in backbone.gcn.modules())
        and all(_is_known(block) for block in backbone.gcn)
    )


def forward_frames_first(backbone: STGCN, x: Tensor) -> Tensor:
    """Same result as the stock forward: ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``."""
    num, persons, frames, joints, width = x.shape
    rows = num if backbone.data_bn_type == 'MVC' else num * persons
    x = backbone.data_bn(x.permute(0, 1, 3, 4, 2).reshape(rows, -1, frames))
    x = x.view(num * persons, joints, width, frames).permute(3, 1, 0, 2)
    x = _image(x.reshape(frames, -1, width))
    for block in backbone.gcn:
        x = _forward_block(block, x)
    return x.squeeze(0).unflatten(2, (joints, num, persons)).permute(3, 4, 0, 1, 2)


def _is_hooked(module: nn.Module) -> bool:
    replaced = 'forward' in vars(module)
    return replaced or any(getattr(module, hooks) for hooks in _HOOKS)


def _is_known(block: nn.Module) -> bool:
    if type(block) is not STGCNBlock:
        return False
    # Without types: a block of MMAction2 holds parts of several kinds.
    gcn: Any = block.gcn
    tcn: Any = block.tcn
    norms = [gcn.bn, getattr(tcn, 'bn', None)]
    convs = [gcn.conv, getattr(tcn, 'conv', None)]
    if isinstance(block.residual, unit_tcn):
        norms.append(block.residual.bn)
        convs.append(block.residual.conv)
    return (
        type(gcn) is unit_gcn
        and gcn.conv_pos == 'pre'
        and not gcn.with_res
        and type(gcn.act) is nn.ReLU
        and type(tcn) is unit_tcn
        and all(type(conv) is nn.Conv2d for conv in convs)
        and tcn.conv.dilation == (1, 1)
        and tcn.conv.bias is not None
        and all(type(norm) is nn.BatchNorm2d and norm.affine for norm in norms)
    )


def _forward_block(block: STGCNBlock, x: Tensor) -> Tensor:
    gcn: Any = block.gcn
    tcn: Any = block.tcn
    residual: Any = block.residual
    A = gcn.A
    if gcn.adaptive == 'offset':
        A = A + gcn.PA
    elif gcn.adaptive == 'importance':
        A = A * gcn.PA
    # Read the weights now: in backward, functional_call has already restored them.
    spatial = partial(_graph_conv, x, A, gcn.conv.weight, gcn.conv.bias)
    norm = _NormOnce(gcn.bn)
    y = tcn.bn(_temporal_conv(tcn.conv, lambda: norm(spatial()).relu_(), x.shape[2]))
    if tcn.drop.training and tcn.drop.p:
        y = y.mul_(_draw_kept(y, tcn.drop.p)).mul_(1 / (1 - tcn.drop.p))
    # Else the residual is x itself, or 0.
    x = _widen(residual, x) if isinstance(residual, unit_tcn) else residual(x)
    return y.add_(x).relu_()


def _temporal_conv(
    conv: nn.Conv2d, make_input: Callable[[], Tensor], num_frames: int
) -> Tensor:
    """A temporal convolution of a map that backward computes again."""
    weight, bias = conv.weight, conv.bias
    matrices = _fourier_way(conv, num_frames)
    if matrices is None:
        return _again_in_backward(
            lambda: conv._conv_forward(make_input(), weight, bias)
        )
    analysis, of_kernel, synthesis = (m.to(weight.dtype) for m in matrices)
    kernel = _along_time(of_kernel, weight[..., 0].permute(2, 1, 0).contiguous())
    y = _again_in_backward(
        lambda: torch.bmm(_along_time(analysis, _rows(make_input())), kernel)
    )
    out = torch.addmm(
        bias.repeat(y.shape[1]),  # type: ignore[union-attr]
        synthesis,
        y.flatten(1),
    )
    return _image(out.view(len(out), *y.shape[1:]))


def _widen(residual: Any, x: Tensor) -> Tensor:
    """The 1x1 convolution and batch norm of a residual."""
    norm = _NormOnce(residual.bn)
    weight, bias = residual.conv.weight.flatten(1), residual.conv.bias
    stride = residual.conv.stride[0]
    # A matrix product, because PyTorch's convolution of one image is slow on one thread.
    return _again_in_backward(
        lambda: norm(_image(F.linear(_rows(x)[::stride], weight, bias)))
    )


def _again_in_backward(function: Callable[[], Tensor]) -> Tensor:
    """Call a function, and compute its intermediate results again in backward."""
    if not torch.is_grad_enabled():
        return function()
    return checkpoint(function, use_reentrant=False, preserve_rng_state=False)


class _NormOnce:
    """A batch norm that counts each batch once, although backward computes it again."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        self.norm = norm
        statistics = norm.running_mean, norm.running_var
        copies = [None if s is None else s.clone() for s in statistics]
        training = norm.training or copies[0] is None
        self.again = partial(
            F.batch_norm,
            running_mean=copies[0],
            running_var=copies[1],
            weight=norm.weight,
            bias=norm.bias,
            training=training,
            eps=norm.eps,
        )
        self.counted = False

    def __call__(self, x: Tensor) -> Tensor:
        if self.counted:
            return self.again(x)
        self.counted = True
        return self.norm(x)


def _graph_conv(x: Tensor, A: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Sum over subsets of adjacency ``(K, V, V)`` times 1x1 convolution.

    ``(1, C, T, V * N)`` to ``(1, C', T, V * N)``, by ``weight (K * C', C, 1, 1)``.
    """
    subsets, joints, _ = A.shape
    x = _rows(x)
    frames, positions, width = x.shape
    weights = weight.view(subsets, -1, width)
    # The bias of each subset, mixed over the joints.
    shift = torch.einsum('kvw,kc->wc', A, bias.view(subsets, -1))
    out = shift.repeat_interleave(positions // joints, 0).repeat(frames, 1)
    for A_k, weight_k in zip(A, weights, strict=True):
        mixed = torch.bmm(A_k.T.expand(frames, -1, -1), x.view(frames, joints, -1))
        out = out.addmm_(mixed.view(-1, width), weight_k.T)
    return _image(out.view(frames, positions, -1))


def _fourier_way(
    conv: nn.Conv2d, num_frames: int
) -> tuple[Tensor, Tensor, Tensor] | None:
    """The matrices of :func:`fourier_matrices`, if they are faster than the convolution."""
    matrices = fourier_matrices(
        num_frames, conv.kernel_size[0], conv.stride[0], conv.padding[0]
    )
    rank, num_out = len(matrices[0]), len(matrices[2])
    product = conv.in_channels * conv.out_channels
    transforms = num_frames * conv.in_channels + num_out * conv.out_channels
    # Fewer multiplications must outweigh more passes over memory.
    cheaper = (
        rank * (product + transforms) < 0.6 * conv.kernel_size[0] * num_out * product
    )
    return matrices if cheaper else None


@lru_cache(maxsize=64)
def fourier_matrices(
    num_frames: int, size: int, stride: int, padding: int
) -> tuple[Tensor, Tensor, Tensor]:
    r"""A convolution over time as products: ``y = S ((A x) * (B w))``.

    ``A x`` are the Fourier coefficients of the frames, padded with zeros to a circle on
    which no output wraps around, and ``B w`` those of the kernel. A product of complex
    numbers takes three of real ones (Gauss): for ``(a + ib)(c + id)``, of ``a + b`` with
    ``c``, ``b`` with ``c + d`` and ``a`` with ``d - c``, whose sums ``S`` takes along.

    Args:
        num_frames (int): ``T``.
        size (int): Taps of the kernel.
        stride (int): Stride in time.
        padding (int): Zeros on each side.

    Returns:
        tuple[Tensor, Tensor, Tensor]: ``A (R, T)``, ``B (R, size)``, ``S (T', R)``, in
        float64. For 13 frames and 9 taps ``R`` is 25, where the sum itself has 97 products.
    """
    length = num_frames + max(padding, size - 1 - padding)
    num_out = (num_frames + 2 * padding - size) // stride + 1
    frames = torch.arange(num_frames, dtype=torch.float64)
    taps = torch.arange(size, dtype=torch.float64) - padding
    outputs = torch.arange(num_out, dtype=torch.float64) * stride
    A, B, S = [], [], []
    for frequency in range(length // 2 + 1):
        angle = 2 * math.pi * frequency / length
        a, b = (angle * frames).cos(), -(angle * frames).sin()
        c, d = (angle * taps).cos(), (angle * taps).sin()
        real, imaginary = (angle * outputs).cos(), -(angle * outputs).sin()
        if frequency in (0, length / 2):  # no imaginary part
            A += [a]
            B += [c]
            S += [real / length]
        else:  # itself and its conjugate
            A += [a + b, b, a]
            B += [c, c + d, d - c]
            S += [2 * m / length for m in (real + imaginary, -real, imaginary)]
    return torch.stack(A), torch.stack(B), torch.stack(S, 1)


def _draw_kept(x: Tensor, rate: float) -> Tensor:
    """The elements that dropout keeps, bool."""
    threshold = 256 * rate
    if threshold != int(threshold):  # bytes could not hit the rate
        return torch.empty_like(x, dtype=torch.bool).bernoulli_(1 - rate)
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(torch.int8)[: x.numel()] >= threshold - 128
    return kept.as_strided(x.shape, x.stride())


def _along_time(matrix: Tensor, x: Tensor) -> Tensor:
    """``matrix (R, T)`` times ``x (T, Q, C)``: ``(R, Q, C)``."""
    return (matrix @ x.flatten(1)).view(-1, *x.shape[1:])


def _rows(x: Tensor) -> Tensor:
    """``(1, C, T, V * N)`` as it lies in memory: ``(T, V * N, C)``."""
    return x.squeeze(0).permute(1, 2, 0).contiguous()


def _image(x: Tensor) -> Tensor:
    """Back from :func:`_rows`."""
    # In this order, so that PyTorch recognises the memory format by its strides.
    return x[None].permute(0, 3, 1, 2)
