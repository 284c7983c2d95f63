"""ST-GCN's block on maps laid out frames first: the same, faster on CPUs.

The layout is ``(T, V, N, C)`` in memory. In it each part of the block is a large matrix
product, or sees memory in order:

- the graph convolution mixes joints before it mixes channels, which is the narrower side
  of a block that widens;
- the temporal convolution of a wide block is a product of Fourier coefficients, a quarter
  of the multiplications; a narrow one is PyTorch's on a channels-last view;
- batch norm finds its channels innermost;
- dropout draws a byte an element, where PyTorch draws a number on most CPUs.

Of a block are kept, until backward, its input, what its last batch norm takes, and a
byte an element of dropout's draw. All between is made again there.
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
        and tcn.conv.bias is not None
        and all(type(norm) is nn.BatchNorm2d and norm.affine for norm in norms)
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
    y = _GraphThenTime.apply(
        x,
        _adjacency(gcn),
        gcn.conv.weight,
        gcn.conv.bias,
        gcn.bn.weight,
        gcn.bn.bias,
        tcn.conv.weight,
        tcn.conv.bias,
        gcn.bn,
        tcn.conv,
    )
    y = tcn.bn(y)
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
    conv, norm = residual.conv, residual.bn
    return _WidenedResidual.apply(
        x, conv.weight, conv.bias, norm.weight, norm.bias, norm, conv.stride[0]
    )


def _adjacency(gcn: unit_gcn) -> Tensor:
    if gcn.adaptive == 'offset':
        return gcn.A + gcn.PA
    if gcn.adaptive == 'importance':
        return gcn.A * gcn.PA
    return gcn.A


class _WidenedResidual(Function):
    """1x1 convolution and batch norm; keeps its input only."""

    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm_weight: Tensor,
        norm_bias: Tensor,
        norm: nn.BatchNorm2d,
        stride: int,
    ) -> Tensor:
        inputs = (x, weight, bias, norm_weight, norm_bias)
        ctx.save_for_backward(*inputs, *_kept_statistics(norm))
        ctx.eps, ctx.stride = norm.eps, stride
        return norm(_strided_linear(x, weight, bias, stride))

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, mean, var = ctx.saved_tensors
        inputs = [p.detach().requires_grad_() for p in inputs]
        x, weight, bias, norm_weight, norm_bias = inputs
        with torch.enable_grad():
            y = _strided_linear(x, weight, bias, ctx.stride)
            y = _norm_again(y, norm_weight, norm_bias, mean, var, ctx.eps)
        return *torch.autograd.grad(y, inputs, grad), None, None


def _strided_linear(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """A 1x1 convolution; on one thread PyTorch's own of one image is a slow one."""
    return _image(F.linear(_rows(x)[::stride], weight.flatten(1), bias))


def _kept_statistics(norm: nn.BatchNorm2d) -> tuple[Tensor | None, Tensor | None]:
    """Mean and variance that a batch norm uses; None where it uses the batch's."""
    if norm.training or norm.running_mean is None:
        return None, None
    return norm.running_mean, norm.running_var


def _norm_again(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor | None,
    var: Tensor | None,
    eps: float,
) -> Tensor:
    """A batch norm's output once more; the module itself would count the batch twice."""
    return F.batch_norm(x, mean, var, weight, bias, training=mean is None, eps=eps)


class _GraphThenTime(Function):
    """Graph convolution, batch norm, ReLU, convolution over time; keeps its input only.

    The stock way keeps two maps of the block's width more, which a graph convolution and
    a batch norm in backward make again.
    """

    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        A: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm_weight: Tensor,
        norm_bias: Tensor,
        time_weight: Tensor,
        time_bias: Tensor,
        norm: nn.BatchNorm2d,
        conv: nn.Conv2d,
    ) -> Tensor:
        """``x (1, C, T, V * N)`` to ``(1, C', T', V * N)``."""
        inputs = (x, A, weight, bias, norm_weight, norm_bias, time_weight)
        ctx.save_for_backward(*inputs, *_kept_statistics(norm))
        ctx.eps, ctx.conv = norm.eps, conv
        return temporal_conv(conv, norm(graph_conv(x, A, weight, bias)).relu_())

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, A, weight, bias, *norm, time_weight, mean, var = ctx.saved_tensors
        inputs = [graph_conv(x, A, weight, bias), *norm]
        inputs = [p.detach().requires_grad_() for p in inputs]
        y, norm_weight, norm_bias = inputs
        with torch.enable_grad():
            y = _norm_again(y, norm_weight, norm_bias, mean, var, ctx.eps).relu_()
        grad, *grads_time = temporal_conv_backward(
            ctx.conv, y.detach(), time_weight, grad
        )
        grad, *grads_norm = torch.autograd.grad(y, inputs, grad)
        del y, inputs  # before the graph convolution makes maps of its own
        grads_graph = graph_conv_backward(x, A, weight, bias, grad)
        return *grads_graph, *grads_norm, *grads_time, None, None


def graph_conv(x: Tensor, A: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Sum over subsets of adjacency times 1x1 convolution.

    Args:
        x (Tensor): ``(1, C, T, V * N)``.
        A (Tensor): ``(K, V, V)``.
        weight (Tensor): ``(K * C', C, 1, 1)``.
        bias (Tensor): ``(K * C',)``.

    Returns:
        Tensor: ``(1, C', T, V * N)``.
    """
    x = _rows(x)
    weights = weight.view(len(A), -1, x.shape[-1])
    # What the bias of each subset becomes at each joint.
    shift = torch.einsum('kvw,kc->wc', A, bias.view(len(A), -1))
    num = x.shape[1] // A.shape[1]
    out = shift.repeat_interleave(num, 0).repeat(len(x), 1)
    for A_k, weight_k in zip(A, weights, strict=True):
        out.addmm_(_mix_joints(A_k.T, x).flatten(0, 1), weight_k.T)
    return _image(out.view(len(x), x.shape[1], -1))


def graph_conv_backward(
    x: Tensor, A: Tensor, weight: Tensor, bias: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of the inputs of :func:`graph_conv`, for that of its output."""
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
    matrices = _fourier_way(conv, x)
    if matrices is None or conv.bias is None:
        return conv(x)
    return fourier_conv(x, conv.weight, conv.bias, *matrices)


def temporal_conv_backward(
    conv: nn.Conv2d, x: Tensor, weight: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of input, weight and bias of :func:`temporal_conv`."""
    matrices = _fourier_way(conv, x)
    if matrices is not None:
        return fourier_conv_backward(x, weight, grad, *matrices)
    return torch.ops.aten.convolution_backward(
        grad,
        x,
        weight,
        [len(weight)],
        conv.stride,
        conv.padding,
        conv.dilation,
        transposed=False,
        output_padding=[0, 0],
        groups=conv.groups,
        output_mask=[True, True, True],
    )


def _fourier_way(conv: nn.Conv2d, x: Tensor) -> tuple[Tensor, Tensor, Tensor] | None:
    """The matrices of :func:`fourier_matrices`, where they make it faster."""
    size, stride, padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
    matrices = fourier_matrices(x.shape[2], size, stride, padding, x.dtype)
    cheaper = _is_cheaper(matrices, size, conv.in_channels, conv.out_channels)
    return matrices if cheaper else None


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


# Positions whose Fourier coefficients are held at a time: enough for the products to be
# large, and few enough for the coefficients, which are twice the frames, to stay small.
_POSITIONS = 400


def fourier_conv(
    x: Tensor, weight: Tensor, bias: Tensor, A: Tensor, B: Tensor, S: Tensor
) -> Tensor:
    """A convolution over time by the matrices of :func:`fourier_matrices`.

    Args:
        x (Tensor): ``(1, C, T, Q)``.
        weight (Tensor): ``(C', C, size, 1)``.
        bias (Tensor): ``(C',)``.
        A (Tensor): ``(R, T)``.
        B (Tensor): ``(R, size)``.
        S (Tensor): ``(T', R)``.

    Returns:
        Tensor: ``(1, C', T', Q)``.
    """
    x, kernel = _rows(x), _kernel(B, weight)
    out = x.new_empty(len(S), x.shape[1], len(weight))
    for part, x_part in zip(
        out.split(_POSITIONS, 1), x.split(_POSITIONS, 1), strict=True
    ):
        part.copy_(_along_time(S, torch.bmm(_along_time(A, x_part), kernel)))
    return _image(out.add_(bias))


def fourier_conv_backward(
    x: Tensor, weight: Tensor, grad: Tensor, A: Tensor, B: Tensor, S: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of input, weight and bias of :func:`fourier_conv`."""
    x, grad = _rows(x), _rows(grad)
    kernel = _kernel(B, weight).transpose(1, 2)
    grad_x = torch.empty_like(x)
    grad_kernel = torch.zeros_like(kernel.transpose(1, 2))
    for part, x_part, grad_part in zip(
        *(t.split(_POSITIONS, 1) for t in (grad_x, x, grad)), strict=True
    ):
        grad_part = _along_time(S.T, grad_part)
        grad_kernel.baddbmm_(_along_time(A, x_part).transpose(1, 2), grad_part)
        part.copy_(_along_time(A.T, torch.bmm(grad_part, kernel)))
    grad_weight = _along_time(B.T, grad_kernel).permute(2, 1, 0)[..., None]
    return _image(grad_x), grad_weight, grad.sum((0, 1))


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
