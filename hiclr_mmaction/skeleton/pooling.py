"""From a feature map to one feature per clip."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def check_pool(time: int = 1, joints: bool = False) -> None:
    """Check the settings of :func:`pool_skeleton`.

    Raises:
        ValueError: If one is out of range.
    """
    if type(time) is not int or time < 1:
        raise ValueError(
            f'pool.time={time!r}: give a whole number of time segments, 1 or more.'
        )
    if type(joints) is not bool:
        raise ValueError(f'pool.joints={joints!r}: give True or False.')


def pool_map(x: Tensor, time: int = 1, joints: bool = False) -> Tensor:
    """Average a feature map over persons, time segments and joints.

    Args:
        x (Tensor): Feature map of a GCN backbone, ``(N, M, C, T, V)``.
        time (int): Segments of equal length that time is divided into. A map of fewer
            frames repeats some.
        joints (bool): Whether joints are kept apart.

    Returns:
        Tensor: ``(N, C, time, V or 1)``, float32 where the map is of half precision:
        clips may differ by less than that rounds to. Absent persons are averaged too.
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    if time == 1:
        x = x.mean(-2, keepdim=True)
    elif x.shape[-2] != time:
        n, m, c, _, v = x.shape
        x = F.adaptive_avg_pool2d(x.reshape(n * m, c, -1, v), (time, v))
        x = x.reshape(n, m, c, time, v)
    return (x if joints else x.mean(-1, keepdim=True)).mean(1)


def pool_skeleton(x: Tensor, time: int = 1, joints: bool = False) -> Tensor:
    """One feature vector per clip: :func:`pool_map`, flattened.

    Args:
        x (Tensor): Feature map of a GCN backbone, ``(N, M, C, T, V)``.
        time (int): Segments of time that are kept separate.
        joints (bool): Whether joints are kept apart.

    Returns:
        Tensor: ``(N, C * time)``, or ``(N, C * time * V)`` with joints.
    """
    if time == 1 and not joints:
        dtype = torch.promote_types(x.dtype, torch.float32)
        return x.mean(dim=(-2, -1), dtype=dtype).mean(dim=1)
    return pool_map(x, time, joints).flatten(1)


def pooled_channels(
    channels: int, num_joints: int | None, time: int = 1, joints: bool = False
) -> int:
    """Width of :func:`pool_skeleton`'s result.

    Args:
        channels (int): Width of the backbone, ``C``.
        num_joints (int, optional): ``V``; needed where joints are kept apart.
        time (int): As in :func:`pool_skeleton`.
        joints (bool): Likewise.

    Raises:
        ValueError: If a setting is out of range, or ``num_joints`` is missing.
    """
    check_pool(time, joints)
    if joints and num_joints is None:
        raise ValueError(
            'pool.joints=True needs num_joints, the number of joints of the layout; set '
            'num_joints beside pool.'
        )
    return channels * time * (num_joints or 1 if joints else 1)
