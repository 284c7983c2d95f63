"""Alignment: centre on a joint, resample in time, turn towards the camera.

The formulas are those of the released preprocessing of CrosSCLR, AimCLR and HiCLR
(its ``frame50`` arrays); those for skeletons in an image, which it does not know, are
our own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .layouts import SkeletonLayout, get_layout


def center_on(x: Tensor, joint: int) -> Tensor:
    """Subtract in every frame the position of a joint of the same person.

    Args:
        x (Tensor): Coordinates ``(..., T, V, C)``.
        joint (int): Index of the joint that becomes the origin.
    """
    return x - x[..., joint : joint + 1, :]


def resample(x: Tensor, num_frames: int) -> Tensor:
    """Change the number of frames by linear interpolation.

    Frames are taken as the centres of equal intervals, as pixels are in OpenCV's
    ``resize``: a clip made shorter is not smoothed first.

    Args:
        x (Tensor): Coordinates ``(..., T, V, C)``.
        num_frames (int): Number of frames wanted.

    Returns:
        Tensor: ``(..., num_frames, V, C)``.

    Raises:
        ValueError: If the clip has no frame, or none is wanted.
    """
    *batch, frames, joints, channels = x.shape
    if frames < 1 or num_frames < 1:
        raise ValueError(
            f'cannot resample {frames} frames to {num_frames}; both must be at least 1.'
        )
    rows = x.reshape(-1, frames, joints * channels).transpose(1, 2)
    rows = F.interpolate(rows, size=num_frames, mode='linear', align_corners=False)
    return rows.transpose(1, 2).reshape(*batch, num_frames, joints, channels)


def face_camera(x: Tensor, shoulders: tuple[int, int]) -> Tensor:
    """Turn each frame of each person about y, shoulders into the image plane.

    With ``d`` the vector from the left to the right shoulder, the angle of a frame is
    ``acos(d_x / (|d_xz| + 1e-4))``, with one sign for the whole sequence: negative
    where the sum of ``d_z`` over the sequence is not negative.

    Args:
        x (Tensor): Coordinates ``(..., T, V, 3)``, in metres.
        shoulders (tuple[int, int]): Joints (right, left).
    """
    right, left = shoulders
    # In double precision: near a frontal pose the sine is the root of a difference
    # of nearly equal numbers.
    d = (x[..., right, :] - x[..., left, :]).double()
    cos = d[..., 0] / (d[..., [0, 2]].norm(dim=-1) + 1e-4)
    sin = (1 - cos.square()).sqrt()
    sin = torch.where(d[..., 2].sum(-1, keepdim=True) >= 0, -sin, sin)
    cos, sin = (a.to(x.dtype).unsqueeze(-1) for a in (cos, sin))
    x0, y0, z0 = x.unbind(-1)
    return torch.stack([cos * x0 - sin * z0, y0, sin * x0 + cos * z0], dim=-1)


def num_tracked_frames(x: Tensor) -> Tensor:
    """Frames in which joint 0 of the first person is not at the origin.

    The released arrays are padded with zeros after the end of a clip; this is how
    its preprocessing finds the end.

    Args:
        x (Tensor): Raw coordinates ``(..., M, T, V, C)``.

    Returns:
        Tensor: Counts ``(...)``, int64.
    """
    return (x[..., 0, :, 0, :] != 0).any(-1).sum(-1)


def hiclr_align(
    x: Tensor, layout: str | SkeletonLayout, num_frames: int = 50
) -> Tensor:
    """Align clips as the released preprocessing does (``frame50``).

    Each frame of a person is centred on ``layout.center``; the leading tracked
    frames are resampled to ``num_frames``; then each frame is turned to face the
    camera.

    Args:
        x (Tensor): Raw coordinates ``(M, T, V, 3)`` or ``(N, M, T, V, 3)``, metres.
        layout (str | SkeletonLayout): The skeleton.
        num_frames (int): Number of frames of the result.

    Returns:
        Tensor: ``(..., M, num_frames, V, 3)``.

    Raises:
        ValueError: If a clip has no tracked frame, or the layout no shoulders.
    """
    layout = get_layout(layout)
    if layout.shoulders is None:
        raise ValueError(
            f'layout {layout.name!r} has no shoulders, so no clip can be turned to '
            'face the camera; set shoulders=(right, left) in it.'
        )
    if x.dim() == 5:
        return torch.stack([hiclr_align(clip, layout, num_frames) for clip in x])
    length = int(num_tracked_frames(x))
    if length == 0:
        if not x[0].any():
            raise ValueError(
                'the clip has no tracked frame: its first person is at the origin '
                'throughout. Remove the clip, or put a tracked person first.'
            )
        length = x.shape[1]  # centred on joint 0, so nothing tells its end
    x = center_on(x[:, :length], layout.center)
    return face_camera(resample(x, num_frames), layout.shoulders)


def fill_gaps(x: Tensor) -> Tensor:
    """Put joints that were not seen where they were on the way from when to when seen.

    Places are interpolated in time and held beyond the first and the last sight of a
    joint; scores stay 0. A joint that is never seen is at 0, and so are all joints of
    a person before its first and after its last sight: then it is absent.

    Args:
        x (Tensor): Places and scores ``(..., T, V, 3)``, not seen where the score is 0.
    """
    frames = x.shape[-3]
    seen = x[..., 2] > 0
    time = torch.arange(frames, device=x.device)[:, None]
    before = torch.where(seen, time, -1).cummax(-2).values
    after = torch.where(seen, time, frames).flip(-2).cummin(-2).values.flip(-2)
    first = torch.where(before < 0, after, before).clamp(max=frames - 1)
    last = torch.where(after >= frames, before, after).clamp(min=0)
    part = (time - first) / (last - first).clamp(min=1)
    places = x[..., :2]
    start, end = (
        places.take_along_dim(index.unsqueeze(-1), dim=-3) for index in (first, last)
    )
    places = start + part.unsqueeze(-1) * (end - start)
    somebody = seen.any(-1, keepdim=True)
    there = (somebody.cumsum(-2) > 0) & (somebody.flip(-2).cumsum(-2).flip(-2) > 0)
    known = there & seen.any(-2, keepdim=True)
    return torch.cat([places * known.unsqueeze(-1), x[..., 2:]], dim=-1)


def align_2d(x: Tensor, layout: str | SkeletonLayout, num_frames: int = 50) -> Tensor:
    """Align clips of skeletons in an image.

    Joints that were not seen are filled in (:func:`fill_gaps`), each frame of a person
    is centred on ``layout.center`` (a person whose centre is never seen: on the mean of
    the other joints), and the clip is resampled. Then each person is
    brought to one size: the mean square distance of its joints from the centre over the
    clip, weighted by score, becomes 1. It needs no certain joint to be in the picture,
    and one joint found far astray hardly changes it. A picture cannot be turned to face
    the camera; ``y`` stays down.

    Args:
        x (Tensor): Pixels and scores ``(M, T, V, 3)`` or ``(N, M, T, V, 3)``.
        layout (str | SkeletonLayout): The skeleton.
        num_frames (int): Number of frames of the result. Those after the last in which
            anybody is seen are left out.

    Returns:
        Tensor: ``(..., M, num_frames, V, 3)``, the unit being the size of the body.

    Raises:
        ValueError: If no joint of a clip has a score.
    """
    layout = get_layout(layout)
    if x.dim() == 5:
        return torch.stack([align_2d(clip, layout, num_frames) for clip in x])
    sights = (x[..., 2] > 0).any(-1).any(0).nonzero()
    if len(sights) == 0:
        raise ValueError(
            'the clip has no joint with a score above 0, so nobody is seen in it. '
            'Remove the clip, or give its joints the scores of their detection.'
        )
    x = fill_gaps(x[:, : int(sights[-1]) + 1])
    places, score = x[..., :2], x[..., 2:]
    there = (x != 0).any(-1, keepdim=True)  # what was not filled in stays at 0
    center = places[..., layout.center, :].unsqueeze(-2)
    mean = places.sum(-2, keepdim=True) / there.sum(-2, keepdim=True).clamp(min=1)
    never = ~there[..., layout.center, :].any(-2)[:, None, None]
    places = (places - torch.where(never, mean, center)) * there
    x = resample(torch.cat([places, score], dim=-1), num_frames)
    places, score = x[..., :2], x[..., 2:]
    square = (places.square().sum(-1, keepdim=True) * score).sum((1, 2), keepdim=True)
    size = (square / score.sum((1, 2), keepdim=True).clamp(min=1e-6)).sqrt()
    return torch.cat([places / size.clamp(min=1e-6), score], dim=-1)


def align_clip(x: Tensor, layout: str | SkeletonLayout, num_frames: int = 50) -> Tensor:
    """Align clips as the layout's coordinates ask.

    Returns:
        Tensor: Of :func:`hiclr_align` for places in space, of :func:`align_2d` for
        places in an image.
    """
    align = align_2d if get_layout(layout).coordinates == '2d' else hiclr_align
    return align(x, layout, num_frames)
