"""The augmentations of HiCLR as pure functions with explicit draws.

Clips are ``(N, M, T, V, C)``; a draw has one row a sample (``matrix (N, 3, 3)``,
``start (N,)``, ...), and an unbatched draw holds for all of them. A single clip
``(M, T, V, C)`` with unbatched draws works too. An absent person, all zeros, stays so.
They know nothing of scores: :func:`on_places` keeps those out of them.
Groups and constants: HiCLR, 'Growing Augmentation' and its released code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from .layouts import SkeletonLayout, get_layout


def on_places(
    function: Callable[[Tensor], Tensor], x: Tensor, layout: str | SkeletonLayout
) -> Tensor:
    """Apply a function to where the joints are, and leave their scores as they are.

    Args:
        function (Callable): Takes and gives places ``(..., V, layout.num_axes)``.
        x (Tensor): Coordinates ``(..., V, C)``.
        layout (str | SkeletonLayout): Tells how many of ``C`` are places.
    """
    axes = get_layout(layout).num_axes
    if axes >= x.shape[-1]:
        return function(x)
    return torch.cat([function(x[..., :axes]), x[..., axes:]], dim=-1)


def shear(x: Tensor, matrix: Tensor) -> Tensor:
    """Linear map of the coordinates, ``y = S x``.

    Args:
        x (Tensor): Clips ``(N, M, T, V, C)``.
        matrix (Tensor): ``S``, ``(N, C, C)`` or ``(C, C)``.
    """
    points = x.reshape(x.shape[0], -1, x.shape[-1])
    return torch.matmul(points, matrix.to(x).mT).view_as(x)


def rotate(x: Tensor, degrees: Tensor) -> Tensor:
    """Turn the clips about the x axis, then y, then z.

    Args:
        x (Tensor): Clips ``(N, M, T, V, 3)``.
        degrees (Tensor): Angles about (x, y, z), ``(N, 3)`` or ``(3,)``.
    """
    return shear(x, rotation_matrix(degrees))


def rotation_matrix(degrees: Tensor) -> Tensor:
    """``R_z R_y R_x`` with the released code's sense of rotation.

    Args:
        degrees (Tensor): Angles about (x, y, z), ``(..., 3)``.

    Returns:
        Tensor: ``(..., 3, 3)``, double precision.
    """
    radians = torch.deg2rad(degrees.double())
    cos, sin = radians.cos().unbind(-1), radians.sin().unbind(-1)
    one, zero = torch.ones_like(cos[0]), torch.zeros_like(cos[0])

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))

    about_x = matrix(one, zero, zero, zero, cos[0], sin[0], zero, -sin[0], cos[0])
    about_y = matrix(cos[1], zero, -sin[1], zero, one, zero, sin[1], zero, cos[1])
    about_z = matrix(cos[2], sin[2], zero, -sin[2], cos[2], zero, zero, zero, one)
    return about_z @ about_y @ about_x


def temporal_crop(x: Tensor, start: int | Tensor, pad: int) -> Tensor:
    """Pad both ends by mirroring in time, then cut out the clip's length again.

    The mirror repeats the edge frame: ``... 1 0 | 0 1 2 ...``.

    Args:
        x (Tensor): Clips ``(N, M, T, V, C)``.
        start (int | Tensor): First frame taken, counted in the padded clip,
            ``0 .. 2 * pad``; ``(N,)`` or a scalar.
        pad (int): Frames added at each end, at most ``T``.
    """
    frames = x.shape[-3]
    start = torch.as_tensor(start, device=x.device)
    index = start.unsqueeze(-1) + torch.arange(frames, device=x.device) - pad
    index = torch.where(index < 0, -1 - index, index)
    index = torch.where(index >= frames, 2 * frames - 1 - index, index)
    if index.dim() == 1:
        return x.index_select(-3, index)
    return x.take_along_dim(index[:, None, :, None, None], dim=-3)


def mirror(x: Tensor, permutation: Sequence[int] | Tensor) -> Tensor:
    """Exchange left and right joints; coordinates are not negated.

    Args:
        x (Tensor): Clips ``(..., V, C)``.
        permutation (Sequence[int]): ``SkeletonLayout.mirror``.
    """
    return x.index_select(-2, torch.as_tensor(permutation, device=x.device))


def time_flip(x: Tensor) -> Tensor:
    """Play the clips backwards."""
    return x.flip(-3)


def gaussian_blur(
    x: Tensor,
    sigma: float | Tensor,
    kernel_size: int = 15,
    normalize: bool = False,
) -> Tensor:
    """Blur along time with a Gaussian; beyond the ends are zeros.

    Args:
        x (Tensor): Clips ``(N, M, T, V, C)``.
        sigma (float | Tensor): Standard deviation in frames, ``(N,)`` or a scalar.
        kernel_size (int): Number of taps, odd.
        normalize (bool): Whether the weights of each frame sum to 1, at the ends
            too. The released code does not normalise: its peak is 1, so that a wide
            blur also amplifies.
    """
    frames = torch.arange(x.shape[-3], device=x.device)
    lag = (frames[:, None] - frames).to(x.dtype)
    sigma = torch.as_tensor(sigma, device=x.device, dtype=x.dtype)
    weight = torch.exp(-lag.square() / (2 * sigma[..., None, None].square()))
    weight = weight.masked_fill(lag.abs() > kernel_size // 2, 0)
    if normalize:
        weight = weight / weight.sum(-1, keepdim=True)
    # The blur as one matrix a sample: for clips of this length faster than a
    # convolution, and the only form in which each sample has its own kernel.
    if weight.dim() == 3:
        weight = weight.unsqueeze(1)
    return torch.matmul(weight, x.flatten(-2)).view_as(x)


def channel_mask(x: Tensor, axis: int | Tensor) -> Tensor:
    """Set one coordinate of all joints to zero.

    Args:
        x (Tensor): Clips ``(N, M, T, V, C)``.
        axis (int | Tensor): The coordinate, ``(N,)`` or a scalar.
    """
    axis = torch.as_tensor(axis, device=x.device)
    masked = torch.arange(x.shape[-1], device=x.device) == axis.unsqueeze(-1)
    if masked.dim() == 2:
        masked = masked[:, None, None, None]
    return x.masked_fill(masked, 0)


def joint_mask(
    num_samples: int,
    num_frames: int,
    num_joints: int,
    ratio: float,
    generator: Generator | None = None,
) -> Tensor:
    """Choose in each frame ``int(num_joints * ratio)`` joints to mask.

    Returns:
        Tensor: bool ``(num_samples, num_frames, num_joints)``, true where masked,
        on the generator's device.
    """
    device = None if generator is None else generator.device
    # The addend, for 100 * 0.29 is 28.999999999999996.
    count = math.floor(num_joints * ratio + 1e-9)
    order = torch.rand(
        num_samples, num_frames, num_joints, generator=generator, device=device
    )
    masked = torch.zeros_like(order, dtype=torch.bool)
    return masked.scatter_(-1, order.topk(count, dim=-1).indices, True)


def ada_in(content: Tensor, style: Tensor, dims: str = 'TV') -> Tensor:
    """SkeleAdaIN: give a clip the mean and standard deviation of another.

    Statistics are per sample, person and channel (unbiased, 1e-5 added to the
    variance).

    Args:
        content (Tensor): Clips ``(N, M, T, V, C)``.
        style (Tensor): Clips of the same shape.
        dims (str): ``'TV'``: over frames and joints; ``'V'``: over the joints of
            each frame.

    Raises:
        ValueError: If ``dims`` is neither.
    """
    axes = {'TV': (-3, -2), 'V': (-2,)}.get(dims)
    if axes is None:
        raise ValueError(f"ada_in: dims={dims!r} is unknown; it is 'TV' or 'V'.")

    def mean_std(x: Tensor) -> tuple[Tensor, Tensor]:
        var, mean = torch.var_mean(x, dim=axes, keepdim=True)
        return mean, (var + 1e-5).sqrt()

    content_mean, content_std = mean_std(content)
    style_mean, style_std = mean_std(style)
    return (content - content_mean) / content_std * style_std + style_mean


def drop_edges(
    A: Tensor, ratio: float | Tensor, generator: Generator | None = None
) -> Tensor:
    """Set entries of an adjacency to zero, and scale up the rest, as dropout does.

    Args:
        A (Tensor): Adjacency of any shape.
        ratio (float): Probability with which an entry is dropped, below 1.
    """
    keep = torch.rand(A.shape, generator=generator, device=A.device) >= ratio
    return A * keep / (1 - ratio)


def add_edges(
    A: Tensor,
    ratio: float | Tensor,
    generator: Generator | None = None,
    value: float | Tensor = 1.0,
) -> Tensor:
    """Set zero entries of an adjacency to one, then rescale to keep its sum.

    Args:
        A (Tensor): Adjacency of any shape, with a positive sum.
        ratio (float): Probability with which a zero entry is set.
        value (float | Tensor): What it is set to, where not to one.
    """
    draw = torch.rand(A.shape, generator=generator, device=A.device) < ratio
    added = (draw & (A == 0)).to(A) * value
    total = A.sum()
    return (A + added) * (total / (total + added.sum()))
