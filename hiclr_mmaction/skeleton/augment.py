"""The augmentations of HiCLR as pure functions with explicit draws.

Clips are ``(N, M, T, V, C)``; a draw has one row per sample (``matrix (N, 3, 3)``,
``start (N,)``, ...), and an unbatched draw holds for all of them. A single clip
``(M, T, V, C)`` with unbatched draws works too. An absent person, all zeros, stays so.
Scores are not handled here; :func:`on_coordinates` keeps them unchanged.
Groups and constants: HiCLR, 'Growing Augmentation' and its released code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from torch import Generator, Tensor

from .constants import constant


def on_coordinates(
    function: Callable[[Tensor], Tensor], x: Tensor, num_axes: int
) -> Tensor:
    """Apply a function to the coordinates of joints, and keep their scores.

    Args:
        function (Callable): Takes and returns coordinates ``(..., V, num_axes)``.
        x (Tensor): Clips ``(..., V, C)``.
        num_axes (int): Number of leading channels that are coordinates; the others are
            scores.
    """
    if num_axes >= x.shape[-1]:
        return function(x)
    return torch.cat([function(x[..., :num_axes]), x[..., num_axes:]], dim=-1)


_EYE = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))


def shear(x: Tensor, matrix: Tensor) -> Tensor:
    """Linear map of the coordinates, ``y = S x``.

    Args:
        x (Tensor): Clips ``(N, M, T, V, C)``.
        matrix (Tensor): ``S``, ``(N, C, C)`` or ``(C, C)``.
    """
    n, axes = x.shape[0], x.shape[-1]
    matrix = matrix.to(x).mT.expand(n, -1, -1)
    width = axes
    if math.prod(x.shape[1:]) % (4 * axes) == 0:
        # Four points in a row, and the matrix four times on a diagonal: a product of
        # matrices only three wide takes a CPU three times as long.
        width = 4 * axes
        eye = constant(_EYE, x.dtype, x.device).view(4, 1, 4, 1)
        matrix = (eye * matrix[:, None, :, None]).reshape(n, width, width)
    return torch.bmm(x.reshape(n, -1, width), matrix).view(x.shape)


def rotate(x: Tensor, degrees: Tensor) -> Tensor:
    """Turn the clips about the x axis, then y, then z.

    Args:
        x (Tensor): Clips ``(N, M, T, V, 3)``.
        degrees (Tensor): Angles about (x, y, z), ``(N, 3)`` or ``(3,)``.
    """
    return shear(x, rotation_matrix(degrees))


# The rotation about each axis is the first of three matrices, plus the cosine of the angle
# times the second, plus the sine times the third.
_ROTATIONS = (
    (
        ((1, 0, 0), (0, 0, 0), (0, 0, 0)),
        ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
        ((0, 0, 0), (0, 0, 0), (0, 0, 1)),
    ),
    (
        ((0, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((1, 0, 0), (0, 0, 0), (0, 0, 1)),
        ((1, 0, 0), (0, 1, 0), (0, 0, 0)),
    ),
    (
        ((0, 0, 0), (0, 0, 1), (0, -1, 0)),
        ((0, 0, -1), (0, 0, 0), (1, 0, 0)),
        ((0, 1, 0), (-1, 0, 0), (0, 0, 0)),
    ),
)


def rotation_matrix(degrees: Tensor) -> Tensor:
    """``R_z R_y R_x`` with the released code's sense of rotation.

    Args:
        degrees (Tensor): Angles about (x, y, z), ``(..., 3)``.

    Returns:
        Tensor: ``(..., 3, 3)``, double precision.
    """
    radians = torch.deg2rad(degrees.double())[..., None, None]
    fixed, cos, sin = constant(_ROTATIONS, torch.float64, degrees.device)
    about = torch.addcmul(fixed, radians.cos(), cos).addcmul(radians.sin(), sin)
    about_x, about_y, about_z = about.unbind(-3)
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
    index = _crops(frames, pad, x.device)[start]
    if index.dim() == 1:
        return x.index_select(-3, index)
    # As rows of whole frames: an index for each number would be larger than the clips.
    rows = x.reshape(-1, *x.shape[-2:])
    clips = torch.arange(0, rows.shape[0], frames, device=x.device)
    index = clips.view(*x.shape[:2], 1) + index.unsqueeze(1)
    return rows.index_select(0, index.flatten()).view(x.shape)


@lru_cache(maxsize=64)
def _crops(frames: int, pad: int, device: torch.device) -> Tensor:
    """The frames of each temporal crop, ``(2 * pad + 1, frames)``."""
    with torch.inference_mode(False):
        start = torch.arange(-pad, pad + 1, device=device)
        index = start[:, None] + torch.arange(frames, device=device)
        index = torch.maximum(index, -1 - index)
        return torch.minimum(index, 2 * frames - 1 - index)


def mirror(x: Tensor, permutation: Sequence[int] | Tensor) -> Tensor:
    """Exchange left and right joints; coordinates are not negated.

    Args:
        x (Tensor): Clips ``(..., V, C)``.
        permutation (Sequence[int]): ``SkeletonLayout.mirror``.
    """
    if not isinstance(permutation, Tensor):
        permutation = constant(tuple(permutation), torch.int64, x.device)
    # As numbers of a row: to move three of them at a time takes a CPU twice as long.
    axes = x.shape[-1]
    numbers = permutation.to(x.device)[:, None] * axes
    numbers = numbers + torch.arange(axes, device=x.device)
    rows = x.reshape(-1, x.shape[-2] * axes)
    return rows.index_select(1, numbers.flatten()).view(x.shape)


def time_flip(x: Tensor) -> Tensor:
    """Play the clips backwards."""
    return x.flip(-3)


@lru_cache(maxsize=64)
def _lags(frames: int, farthest: int, device: torch.device) -> Tensor:
    """Distance of each frame from each, at most one beyond the farthest, in a row."""
    with torch.inference_mode(False):
        frame = torch.arange(frames, device=device)
        return (frame[:, None] - frame).abs().clamp_(max=farthest + 1).flatten()


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
            too. The released code does not normalise: its peak is 1, and a wide blur
            also amplifies.
    """
    frames, farthest = x.shape[-3], kernel_size // 2
    sigma = torch.as_tensor(sigma, device=x.device, dtype=x.dtype)
    lags = torch.arange(farthest + 2, dtype=x.dtype, device=x.device)
    taps = torch.exp(lags.square() / (-2 * sigma.square())[..., None])
    taps[..., -1] = 0
    weight = taps.index_select(-1, _lags(frames, farthest, x.device))
    weight = weight.unflatten(-1, (frames, frames))
    if normalize:
        weight = weight / weight.sum(-1, keepdim=True)
    # The blur as one matrix per sample: for clips of this length faster than a
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
    kept = torch.arange(x.shape[-1], device=x.device) != axis.unsqueeze(-1)
    # A product with whole rows of joints: to fill a third of each joint by a mask takes
    # a CPU ten times as long.
    kept = kept.to(x).tile(x.shape[-2])
    if kept.dim() == 2:
        kept = kept[:, None, None]
    return (x.flatten(-2) * kept).view(x.shape)


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
    draws = torch.rand(
        count, num_samples, num_frames, 1, generator=generator, device=device
    )
    # Without replacement, every set of joints alike: R. W. Floyd, J. L. Bentley, 'A
    # sample of brilliance', CACM 30 (1987). For few joints a tenth of the work of
    # sorting one draw per joint.
    mask = draws.new_zeros(num_samples, num_frames, num_joints, dtype=torch.bool)
    for last, draw in enumerate(draws, num_joints - count):
        # Rounding could reach last + 1.
        joint = (draw * (last + 1)).long().clamp_(max=last)
        joint = torch.where(mask.gather(-1, joint), last, joint)
        mask.scatter_(-1, joint, True)
    return mask


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
        value (float | Tensor): Value to set (default: one).
    """
    draw = torch.rand(A.shape, generator=generator, device=A.device) < ratio
    added = (draw & (A == 0)).to(A) * value
    total = A.sum()
    return (A + added) * (total / (total + added.sum()))
