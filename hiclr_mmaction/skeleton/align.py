"""Alignment: centre on a joint, resample in time, turn towards the camera.

The formulas are those of the released preprocessing of CrosSCLR, AimCLR and HiCLR
(its ``frame50`` arrays). Lost persons and joints, and 2-D skeletons, are handled by this
project's own rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .layouts import SkeletonLayout, get_layout

UNTRACKED = ('drop', 'refuse', 'released')
MAX_GAP = 10  # frames, a third of a second of most cameras


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
    check_shoulders(layout)
    if x.dim() == 5:
        return torch.stack([hiclr_align(clip, layout, num_frames) for clip in x])
    length = int(num_tracked_frames(x))
    if length == 0:
        if not x[0].any():
            raise ValueError(
                'the clip has no tracked frame: its first person is at the origin '
                'throughout. Remove the clip, or put a tracked person first.'
            )
        length = x.shape[1]  # centred on joint 0, so its end is unknown
    return _align_whole(x[:, :length], layout, num_frames)


def _align_whole(x: Tensor, layout: SkeletonLayout, num_frames: int) -> Tensor:
    """Align a 3-D clip in which everything was measured."""
    check_shoulders(layout)
    x = resample(center_on(x, layout.center), num_frames)
    return face_camera(x, layout.shoulders)  # type: ignore[arg-type]  # checked above


def fill_gaps(x: Tensor, seen: Tensor) -> Tensor:
    """Interpolate in time the joints that were not measured.

    Before the first and after the last measurement the nearest one is used. A joint that
    was never measured becomes 0.

    Args:
        x (Tensor): Coordinates ``(..., T, V, C)``.
        seen (Tensor): Whether a joint was measured, bool ``(..., T, V)``.
    """
    before, after = _neighbours(seen)
    first = torch.where(before < 0, after, before).clamp(max=x.shape[-3] - 1)
    last = torch.where(after >= x.shape[-3], before, after).clamp(min=0)
    time = torch.arange(x.shape[-3], device=x.device)[:, None]
    part = (time - first) / (last - first).clamp(min=1)
    start, end = (x.take_along_dim(i.unsqueeze(-1), dim=-3) for i in (first, last))
    filled = start + part.unsqueeze(-1) * (end - start)
    return filled * seen.any(-2)[..., None, :, None]


def _neighbours(seen: Tensor) -> tuple[Tensor, Tensor]:
    """For each frame of ``(..., T, V)`` the last one seen, or -1, and the next, or T."""
    frames = seen.shape[-2]
    time = torch.arange(frames, device=seen.device)[:, None]
    before = torch.where(seen, time, -1).cummax(-2).values
    after = torch.where(seen, time, frames).flip(-2).cummin(-2).values.flip(-2)
    return before, after


def measured_joints(x: Tensor, layout: str | Mapping | SkeletonLayout) -> Tensor:
    """Find the joints that were measured.

    In 2-D these have a score above 0. In 3-D trackers store a joint that they lost as
    (0, 0, 0). A joint at the origin counts as measured only where the body is there too
    (a person is nearer to the origin than its longest bone), and then only one such
    joint, the one most often there: clips may be centred on a joint, or start at the
    origin.

    Args:
        x (Tensor): Coordinates ``(M, T, V, C)``.
        layout (str | dict | SkeletonLayout): The skeleton.

    Returns:
        Tensor: bool ``(M, T, V)``; all False in frames without the person.
    """
    layout = get_layout(layout)
    if layout.num_axes == 2:
        return x[..., 2] > 0
    seen = (x != 0).any(-1)
    lost = ~seen & seen.any(-1, keepdim=True)
    if lost.any():
        for person, joints, gaps in zip(x, seen, lost, strict=True):
            if gaps.any():
                joints |= _at_the_origin(person, joints, gaps, layout)
    return seen


def _at_the_origin(
    x: Tensor, seen: Tensor, lost: Tensor, layout: SkeletonLayout
) -> Tensor:
    """Which lost joints ``(T, V)`` of one person are really at the origin."""
    counts = lost.sum(0)
    order = [layout.center, *range(layout.num_joints)]  # the first of the most frequent
    joint = max(order, key=lambda v: int(counts[v]))
    child, parent = map(list, zip(*layout.bones, strict=True))
    lengths = (x[:, child] - x[:, parent]).norm(dim=-1)
    lengths = lengths.masked_fill(~(seen[:, child] & seen[:, parent]), torch.nan)
    longest = lengths.nanmedian(0).values.nan_to_num(0).max()
    distance = x.norm(dim=-1).masked_fill(~seen, torch.inf).amin(-1)
    # Dummy joints of motion capture lie upon another joint in all frames.
    twins = (x == x[:, joint, None]).all(-1).all(0) & seen.any(0)
    twins[joint] = True
    return lost & twins & (distance <= longest)[:, None]


class Tracking(NamedTuple):
    """The tracked part of a clip, as alignment uses it.

    Attributes:
        persons (list[int]): The persons that are used.
        seen (Tensor): Their measured joints, bool ``(M, T, V)``.
        present (Tensor): Their frames with gaps filled, bool ``(M, T)``.
        frames (Tensor): Kept frames, with at least one person, bool ``(T,)``.
    """

    persons: list[int]
    seen: Tensor
    present: Tensor
    frames: Tensor

    def counts(self) -> dict[str, int]:
        """Count dropped and interpolated frames and joints.

        Returns:
            dict: ``dropped_frames``; ``filled_frames`` (of a person who is lost for at
            most ``max_gap`` frames); ``filled_joints`` (lost in some frames, one for
            each frame); ``lost_joints`` (of a person, in all frames).
        """
        there = self.seen.any(-1)
        known = self.seen.any(-2)
        filled = there.unsqueeze(-1) & known.unsqueeze(-2) & ~self.seen
        return dict(
            dropped_frames=int((~self.frames).sum()),
            filled_frames=int((self.present & ~there).sum()),
            filled_joints=int(filled.sum()),
            lost_joints=int((~known).sum()),
        )


def track(
    x: Tensor,
    layout: str | Mapping | SkeletonLayout,
    num_person: int | None = None,
    max_gap: int = MAX_GAP,
) -> Tracking:
    """Choose the persons and the frames of a clip that were tracked.

    Args:
        x (Tensor): Raw coordinates ``(M, T, V, 3)``.
        layout (str | dict | SkeletonLayout): The skeleton.
        num_person (int, optional): At most this many persons, those tracked in the most
            frames. None: all who are tracked.
        max_gap (int): A person lost for at most this many frames counts as present.

    Raises:
        ValueError: If nobody is tracked.
    """
    layout = get_layout(layout)
    seen = measured_joints(x, layout)
    there = seen.any(-1)
    frames = there.sum(-1).tolist()
    persons = [m for m in range(len(frames)) if frames[m]]
    persons = sorted(sorted(persons, key=lambda m: -frames[m])[:num_person])
    if not persons:
        raise ValueError(
            'the clip has no tracked frame: '
            + (
                'no joint has a score above 0. Remove the clip, or give its joints the '
                'scores of their detection.'
                if layout.num_axes == 2
                else 'all its joints are at the origin. Remove the clip.'
            )
        )
    present = there[persons]
    if not present.all():
        before, after = (a.squeeze(-1) for a in _neighbours(present.unsqueeze(-1)))
        inside = (before >= 0) & (after < x.shape[1])
        present = present | (inside & (after - before <= max_gap + 1))
    return Tracking(persons, seen[persons], present, present.any(0))


def align_clip(
    x: Tensor,
    layout: str | Mapping | SkeletonLayout,
    num_frames: int = 50,
    num_person: int | None = None,
    untracked: str = 'drop',
    max_gap: int = MAX_GAP,
) -> Tensor:
    """Align a clip: select persons, centre, resample and turn them.

    Joints that were not measured are interpolated (:func:`fill_gaps`), frames without
    a person are dropped, each frame of a person is centred on ``layout.center`` (a person
    whose centre was never measured: on the mean of the other joints), and the clip is
    resampled. In 3-D each frame is then turned to face the camera. In 2-D each person is
    brought to one size: the mean square distance of its joints from the centre, weighted
    by score, becomes 1; ``y`` stays down. A person is zero in frames without it, and so
    is a joint that was never measured.

    A 3-D clip in which all is measured gives the result of :func:`hiclr_align`.

    Args:
        x (Tensor): Raw coordinates ``(M, T, V, 3)``, or clips ``(N, M, T, V, 3)``: x, y,
            z in metres, or x, y in pixels and the score.
        layout (str | dict | SkeletonLayout): The skeleton.
        num_frames (int): Frames of the result.
        num_person (int, optional): Persons of the result; missing ones are zeros. None:
            as many as the clip has.
        untracked (str): ``'drop'``: as above. ``'released'``: :func:`hiclr_align` of the
            first persons, as the released preprocessing does (3-D only; in 2-D as
            ``'drop'``). ``'refuse'``: an error if anything is lost.
        max_gap (int): Frames for which a person may be lost before the frames are
            dropped. Shorter gaps are interpolated.

    Returns:
        Tensor: ``(..., num_person, num_frames, V, 3)``.

    Raises:
        ValueError: If nobody is tracked, something is lost that is refused, the layout
            has no shoulders (3-D), an argument is out of range, or the result is not
            finite.
    """
    check_align_settings(num_frames, num_person, untracked, max_gap)
    layout = get_layout(layout)
    if x.dim() == 5:
        options = (layout, num_frames, num_person, untracked, max_gap)
        return torch.stack([align_clip(clip, *options) for clip in x])
    num_person = len(x) if num_person is None else num_person
    if untracked == 'released' and layout.num_axes == 3:
        out = hiclr_align(x[:num_person], layout, num_frames)
    else:
        tracking = track(x, layout, num_person, max_gap)
        if untracked == 'refuse' and not tracking.seen.all():
            lost = {k: v for k, v in tracking.counts().items() if v}
            raise ValueError(
                f"persons or joints are lost in the clip ({lost}) and untracked='refuse'; "
                "repair it, or set untracked='drop'."
            )
        if layout.num_axes == 3 and tracking.seen.all():
            out = _align_whole(x[tracking.persons], layout, num_frames)
        else:
            out = _align_tracked(x, layout, num_frames, tracking)
    if not torch.isfinite(out).all():
        raise ValueError(
            f'the aligned clip is not finite: coordinates reach {float(x.abs().max()):g}.'
            ' Check their unit, or remove the clip.'
        )
    return torch.cat([out, out.new_zeros(num_person - len(out), *out.shape[1:])])


def _align_tracked(
    x: Tensor, layout: SkeletonLayout, num_frames: int, tracking: Tracking
) -> Tensor:
    axes = layout.num_axes
    if axes == 3:
        check_shoulders(layout)
    persons, seen, present, frames = tracking
    x, known = x[persons], seen.any(-2)
    position, score = x[..., :axes], x[..., axes:]
    if not seen.all():
        position = fill_gaps(position, seen)
        score = score * seen.unsqueeze(-1)
    center = position[..., layout.center, :].unsqueeze(-2)
    if not known[:, layout.center].all():
        mean = position.sum(-2, keepdim=True) / known.sum(-1)[:, None, None, None]
        center = torch.where(known[:, layout.center, None, None, None], center, mean)
    position = (position - center) * known[:, None, :, None]
    kept = torch.cat([position, score], dim=-1)[:, frames]
    out = resample(kept, num_frames)
    # Zero before and after the person is present, where its pose was held.
    there = resample(present[:, frames, None, None].to(x.dtype), num_frames)
    out = out * (there >= 0.5)
    if axes == 2:
        return _to_unit_size(out)
    right, left = layout.shoulders  # type: ignore[misc]  # checked above
    turn = (known[:, right] & known[:, left])[:, None, None, None]
    return torch.where(turn, face_camera(out, (right, left)), out)


def _to_unit_size(x: Tensor) -> Tensor:
    """Scale 2-D persons ``(M, T, V, 3)`` so that their mean square size is 1."""
    position, score = x[..., :2], x[..., 2:]
    square = (position.square().sum(-1, keepdim=True) * score).sum((1, 2), keepdim=True)
    size = (square / score.sum((1, 2), keepdim=True).clamp(min=1e-6)).sqrt()
    return torch.cat([position / size.clamp(min=1e-6), score], dim=-1)


def check_shoulders(layout: SkeletonLayout) -> None:
    """Check that 3-D clips of a layout can be turned to face the camera.

    Raises:
        ValueError: If it has no shoulders.
    """
    if layout.shoulders is None:
        raise ValueError(
            f'layout {layout.name!r} has no shoulders, so no clip can be turned to '
            'face the camera; set shoulders=(right, left) in it.'
        )


def check_align_settings(
    num_frames: int, num_person: int | None, untracked: str, max_gap: int = MAX_GAP
) -> None:
    """Check the settings of :func:`align_clip`.

    Raises:
        ValueError: If one is out of range.
    """
    if num_frames < 1 or (num_person is not None and num_person < 1):
        raise ValueError(
            f'num_frames={num_frames}, num_person={num_person}; both must be at least 1.'
        )
    if untracked not in UNTRACKED:
        raise ValueError(
            f'untracked={untracked!r} is unknown; choose one of {", ".join(UNTRACKED)}.'
        )
    if max_gap < 0:
        raise ValueError(f'max_gap={max_gap} is below 0; 0 fills no gap.')
