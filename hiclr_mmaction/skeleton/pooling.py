"""From a feature map to one feature per clip."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def check_pool(time: int = 1, joints: bool = False, std: bool = False) -> None:
    """Check the settings of :func:`pool_skeleton`.

    Raises:
        ValueError: If one is out of range.
    """
    if type(time) is not int or time < 1:
        raise ValueError(
            f'pool.time={time!r}: give a whole number of time segments, 1 or more.'
        )
    for name, value in dict(joints=joints, std=std).items():
        if type(value) is not bool:
            raise ValueError(f'pool.{name}={value!r}: give True or False.')


def pool_map(
    x: Tensor, time: int = 1, joints: bool = False, std: bool = False
) -> Tensor:
    """Average a feature map over persons, time segments and joints.

    With ``std`` the standard deviation over all of time stands beside the means, as in
    statistics pooling (Snyder et al., ICASSP 2018).

    Args:
        x (Tensor): Feature map of a GCN backbone, ``(N, M, C, T, V)``.
        time (int): Segments of equal length that time is divided into. A map of fewer
            frames repeats some.
        joints (bool): Whether joints are kept apart.
        std (bool): Whether the standard deviation of each channel and joint over time
            is added as one more segment.

    Returns:
        Tensor: ``(N, C, time + std, V or 1)``, float32 where the map is of half precision:
        clips may differ by less than that rounds to. Absent persons are averaged too.
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    # Constant channels have a finite gradient.
    spread = x.var(-2, False, keepdim=True).clamp_min(1e-10).sqrt() if std else None
    if time == 1:
        x = x.mean(-2, keepdim=True)
    elif x.shape[-2] != time:
        n, m, c, _, v = x.shape
        x = F.adaptive_avg_pool2d(x.reshape(n * m, c, -1, v), (time, v))
        x = x.reshape(n, m, c, time, v)
    if spread is not None:
        x = torch.cat([x, spread], dim=-2)
    return (x if joints else x.mean(-1, keepdim=True)).mean(1)


def pool_skeleton(
    x: Tensor, time: int = 1, joints: bool = False, std: bool = False
) -> Tensor:
    """One feature vector per clip: :func:`pool_map`, flattened.

    Args:
        x (Tensor): Feature map of a GCN backbone, ``(N, M, C, T, V)``.
        time (int): Segments of time that are kept separate.
        joints (bool): Whether joints are kept apart.
        std (bool): Whether the standard deviation over time is added.

    Returns:
        Tensor: ``(N, C * (time + std))``, or ``(N, C * (time + std) * V)`` with joints.
    """
    if time == 1 and not joints and not std:
        dtype = torch.promote_types(x.dtype, torch.float32)
        return x.mean(dim=(-2, -1), dtype=dtype).mean(dim=1)
    return pool_map(x, time, joints, std).flatten(1)


def pooled_channels(
    channels: int,
    num_joints: int | None,
    time: int = 1,
    joints: bool = False,
    std: bool = False,
) -> int:
    """Width of :func:`pool_skeleton`'s result.

    Args:
        channels (int): Width of the backbone, ``C``.
        num_joints (int, optional): ``V``; needed where joints are kept apart.
        time (int): As in :func:`pool_skeleton`.
        joints (bool): Likewise.
        std (bool): Likewise.

    Raises:
        ValueError: If a setting is out of range, or ``num_joints`` is missing.
    """
    check_pool(time, joints, std)
    if joints and num_joints is None:
        raise ValueError(
            'pool.joints=True needs num_joints, the number of joints of the layout; set '
            'num_joints beside pool.'
        )
    return channels * (time + std) * (num_joints or 1 if joints else 1)
