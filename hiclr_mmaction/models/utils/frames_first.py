"""ST-GCN's block on maps laid out frames first: the same, faster on CPUs.

The layout is ``(T, V, N, C)`` in memory. In it each part of the block is a large matrix
product, or sees memory in order:

- the graph convolution mixes joints before it mixes channels, which is the narrower side
  of a block that widens;
- the temporal convolution of a wide block is a product of Fourier coefficients, a quarter
  of the multiplications; a narrow one is PyTorch's on a channels-last view;
- batch norm finds its channels innermost;
- dropout draws a byte an element, where PyTorch draws a number on most CPUs.

Backward passes make again what is cheap to make, so that less is kept until then.
``docs/performance.md`` tells what each gave.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models.backbones.stgcn import STGCNBlock
from mmaction.models.utils import unit_gcn, unit_tcn
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def runs_frames_first(block: nn.Module) -> bool:
    """Whether :func:`forward_block` knows all parts of a block of MMAction2's ``STGCN``."""
    if type(block) is not STGCNBlock:
        return False
    # Without types: a block of MMAction2 holds parts of several kinds.
    gcn: Any = block.gcn
    tcn: Any = block.tcn
    norms = [gcn.bn, getattr(tcn, 'bn', None), *_norms(block.residual)]
    return (
        type(gcn) is unit_gcn
        and gcn.conv_pos == 'pre'
        and not gcn.with_res
        and type(gcn.act) is nn.ReLU
        and type(tcn) is unit_tcn
        and tcn.conv.dilation == (1, 1)
        and all(type(norm) is nn.BatchNorm2d for norm in norms)
    )


def _norms(residual: object) -> list[nn.Module]:
    return [residual.bn] if isinstance(residual, unit_tcn) else []


def suits_frames_first(x: Tensor) -> bool:
    """Whether an input is one that this is faster for, and nothing records the graph."""
    return (
        type(x) is Tensor  # not the fake one of an export
        and x.device.type == 'cpu'
        and x.dtype in (torch.float32, torch.float64)
        and not torch.is_autocast_enabled('cpu')
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
    )


def forward_block(block: STGCNBlock, x: Tensor) -> Tensor:
    """What ``block`` computes, on maps of :func:`to_frames_first`."""
    gcn, tcn = block.gcn, block.tcn
    y = GraphConv.apply(x, _adjacency(gcn), gcn.conv.weight, gcn.conv.bias)
    y = gcn.bn(y).relu_()
    y = tcn.bn(temporal_conv(tcn.conv, y))
    residual = _residual(block.residual, x)
    rate = tcn.drop.p if tcn.drop.training else 0.0
    return _DropAddReLU.apply(y, residual, rate)


def to_frames_first(x: Tensor) -> Tensor:
    """``(N, C, T, V)`` as PyTorch's channels-last ``(1, C, T, V * N)``."""
    return _image(x.permute(2, 3, 0, 1).flatten(1, 2))


def from_frames_first(x: Tensor, num_joints: int) -> Tensor:
    """The ``(N, C, T, V)`` that :func:`to_frames_first` took, by a view."""
    return x[0].unflatten(2, (num_joints, -1)).permute(3, 0, 1, 2)


def _rows(x: Tensor) -> Tensor:
    """``(1, C, T, V * N)`` as it lies in memory: ``(T, V * N, C)``."""
    return x[0].permute(1, 2, 0).contiguous()


def _image(x: Tensor) -> Tensor:
    """Back from :func:`_rows`."""
    # In this order, or the stride of the first axis hides from PyTorch what it is.
    return x[None].permute(0, 3, 1, 2)


def _residual(residual: Callable, x: Tensor) -> Tensor | int:
    if not isinstance(residual, unit_tcn):
        return residual(x)  # x itself, or 0
    conv = residual.conv
    # On one thread PyTorch's 1x1 convolution of one image is a slow one.
    rows = _rows(x)[:: conv.stride[0]]
    return residual.bn(_image(F.linear(rows, conv.weight.flatten(1), conv.bias)))


def _adjacency(gcn: unit_gcn) -> Tensor:
    if gcn.adaptive == 'offset':
        return gcn.A + gcn.PA
    if gcn.adaptive == 'importance':
        return gcn.A * gcn.PA
    return gcn.A


class GraphConv(Function):
    """Sum over subsets of adjacency times 1x1 convolution; keeps its input only."""

    @staticmethod
    def forward(ctx, x: Tensor, A: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """``x (1, C, T, V * N)``, ``A (K, V, V)``, weight and bias of ``K * C'``."""
        ctx.save_for_backward(x, A, weight, bias)
        x = _rows(x)
        weights = weight.view(len(A), -1, x.shape[-1])
        # What the bias of each subset becomes at each joint.
        shift = torch.einsum('kvw,kc->wc', A, bias.view(len(A), -1))
        num = x.shape[1] // A.shape[1]
        out = shift.repeat_interleave(num, 0).repeat(len(x), 1)
        for A_k, weight_k in zip(A, weights, strict=True):
            out.addmm_(_mix_joints(A_k.T, x).flatten(0, 1), weight_k.T)
        return _image(out.view(len(x), x.shape[1], -1))

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, A, weight, bias = ctx.saved_tensors
        x, grad = _rows(x), _rows(grad).flatten(0, 1)
        frames, V, width = len(x), A.shape[1], x.shape[-1]
        joints = x.view(frames, V, -1)
        weights = weight.view(len(A), -1, width)
        shift = grad.view(frames, V, -1, grad.shape[1]).sum((0, 2))
        grad_bias = torch.einsum('kvw,wc->kc', A, shift)
        grad_A = torch.einsum('wc,kc->kw', shift, bias.view_as(grad_bias))
        grad_A = grad_A[:, None].repeat(1, V, 1)
        grad_weight = torch.empty_like(weights)
        grad_x = torch.zeros_like(joints)
        for k, (A_k, weight_k) in enumerate(zip(A, weights, strict=True)):
            torch.mm(grad.T, _mix_joints(A_k.T, x).flatten(0, 1), out=grad_weight[k])
            mixed = (grad @ weight_k).view_as(joints)
            grad_A[k] += torch.bmm(joints, mixed.transpose(1, 2)).sum(0)
            grad_x.baddbmm_(A_k.expand(frames, -1, -1), mixed)
        return (
            _image(grad_x.view_as(x)),
            grad_A,
            grad_weight.view_as(weight),
            grad_bias.view_as(bias),
        )


def _mix_joints(A: Tensor, x: Tensor) -> Tensor:
    """``A (V, V)`` times each frame of ``x (T, V * N, C)``."""
    frames = len(x)
    return torch.bmm(A.expand(frames, -1, -1), x.view(frames, len(A), -1)).view_as(x)


def temporal_conv(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """A convolution over time, ``(1, C, T, V * N)`` to ``(1, C', T', V * N)``."""
    size, stride, padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
    matrices = fourier_matrices(x.shape[2], size, stride, padding, x.dtype)
    if _is_cheaper(matrices, size, conv.in_channels, conv.out_channels):
        return FourierConv.apply(x, conv.weight, conv.bias, *matrices)
    return conv(x)


def _is_cheaper(
    matrices: tuple[Tensor, Tensor, Tensor], size: int, width_in: int, width_out: int
) -> bool:
    """Whether the Fourier way multiplies less, by enough to pay for its extra passes."""
    analysis, _, synthesis = matrices
    rank, frames = analysis.shape
    direct = size * len(synthesis) * width_in * width_out
    product = rank * width_in * width_out
    transforms = rank * (frames * width_in + len(synthesis) * width_out)
    return product + transforms < 0.6 * direct


@lru_cache(maxsize=64)
def fourier_matrices(
    num_frames: int, size: int, stride: int, padding: int, dtype: torch.dtype
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
        dtype (torch.dtype): Of the matrices.

    Returns:
        tuple[Tensor, Tensor, Tensor]: ``A (R, T)``, ``B (R, size)``, ``S (T', R)``. For
        13 frames and 9 taps ``R`` is 25, where the sum itself has 97 products.
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
    analysis, kernel, synthesis = (torch.stack(m).to(dtype) for m in (A, B, S))
    return analysis, kernel, synthesis.T.contiguous()


class FourierConv(Function):
    """A convolution over time by :func:`fourier_matrices`; keeps its input only."""

    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        A: Tensor,
        B: Tensor,
        S: Tensor,
    ) -> Tensor:
        """``x (1, C, T, Q)``, ``weight (C', C, size, 1)``, to ``(1, C', T', Q)``."""
        ctx.save_for_backward(x, weight, A, B, S)
        product = torch.bmm(_along_time(A, _rows(x)), _kernel(B, weight))
        return _image(_along_time(S, product).add_(bias))

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, A, B, S = ctx.saved_tensors
        grad = _rows(grad)
        grad_bias = grad.sum((0, 1))
        grad = _along_time(S.T, grad)
        coefficients = _along_time(A, _rows(x))
        grad_kernel = torch.bmm(coefficients.transpose(1, 2), grad)
        del coefficients
        grad_weight = _along_time(B.T, grad_kernel).permute(2, 1, 0)[..., None]
        del grad_kernel
        grad = torch.bmm(grad, _kernel(B, weight).transpose(1, 2))
        return _image(_along_time(A.T, grad)), grad_weight, grad_bias, None, None, None


def _along_time(matrix: Tensor, x: Tensor) -> Tensor:
    """``matrix (R, T)`` times ``x (T, Q, C)``: ``(R, Q, C)``."""
    return (matrix @ x.flatten(1)).view(-1, *x.shape[1:])


def _kernel(B: Tensor, weight: Tensor) -> Tensor:
    """``(R, size)`` times ``(C', C, size, 1)``: ``(R, C, C')``."""
    return _along_time(B, weight[..., 0].permute(2, 1, 0).contiguous())


class _DropAddReLU(Function):
    """``relu(dropout(x) + residual)`` in the memory of ``x``; keeps a byte an element."""

    @staticmethod
    def forward(ctx, x: Tensor, residual: Tensor | int, rate: float) -> Tensor:
        ctx.mark_dirty(x)
        ctx.has_residual = isinstance(residual, Tensor)
        kept = _draw_kept(x, rate) if rate else None
        if kept is not None:
            ctx.scale = 1 / (1 - rate)
            x.mul_(kept.to(x.dtype).mul_(ctx.scale))
        x.add_(residual).relu_()
        ctx.save_for_backward(x, kept)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        out, kept = ctx.saved_tensors
        grad = torch.ops.aten.threshold_backward(grad, out, 0)
        residual = grad if ctx.has_residual else None
        if kept is not None:
            grad = grad * kept.to(grad.dtype).mul_(ctx.scale)
        return grad, residual, None


def _draw_kept(x: Tensor, rate: float) -> Tensor:
    """1 where dropout keeps an element, int8."""
    threshold = 256 * rate
    if threshold != int(threshold):  # bytes could not hit the rate
        return torch.empty_like(x, dtype=torch.int8).bernoulli_(1 - rate)
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(torch.int8)[: x.numel()] >= threshold - 128
    return kept.view(torch.int8).as_strided(x.shape, x.stride())
