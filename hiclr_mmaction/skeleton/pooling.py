"""From feature maps to one feature per clip."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


def check_layers(
    time: int = 1, joints: bool = False, std: bool = False, layers: Sequence[str] = ()
) -> None:
    """Check the settings of :func:`layer_features`.

    Raises:
        ValueError: If one is out of range.
    """
    check_pool(time, joints, std)
    listed = isinstance(layers, list | tuple)
    if not listed or not all(isinstance(name, str) for name in layers):
        raise ValueError(
            f'pool.layers={layers!r}: give a list of names of blocks of the backbone, '
            "such as ['gcn.1', 'gcn.3']."
        )


def checked_pool(pool: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings of :func:`layer_features` as a dict; None: no settings.

    Raises:
        ValueError: If one is unknown or out of range.
    """
    known = inspect.signature(check_layers).parameters
    for name in pool or {}:
        if name not in known:
            raise ValueError(f'pool.{name} is unknown; pool has {", ".join(known)}.')
    check_layers(**(pool or {}))
    return dict(pool or {})


def blocks_of(backbone: nn.Module, layers: Sequence[str]) -> dict[str, nn.Module]:
    """The blocks of a backbone by name, as ``pool.layers`` names them.

    Raises:
        ValueError: If the backbone has no block of a name.
    """
    modules = dict(backbone.named_modules())
    for name in layers:
        if name not in modules:
            known = [n for n in modules if n.count('.') == 1 and n[-1].isdigit()]
            raise ValueError(
                f'pool.layers: the backbone has no block {name!r}; name some of '
                f'{", ".join(known) or "its modules"}, or none: pool.layers=[].'
            )
    return {name: modules[name] for name in layers}


def layer_features(backbone: nn.Module, x: Tensor, pool: Mapping) -> list[Tensor]:
    """Pooled features of some blocks of a backbone and of its result.

    Early blocks still know where joints are, which training on views makes later ones
    forget.

    Args:
        backbone (nn.Module): ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``. A block gives
            ``(N * M, C', T', V)`` or the same as the backbone. Hooks of the backbone
            itself are not called, nor is its compiled form, if there are ``layers``.
        x (Tensor): Clips ``(N, M, T, V, C)``.
        pool (Mapping): ``layers``, the names of the blocks, such as ``'gcn.1'`` (MMAction2
            counts from 0); and the settings of :func:`pool_skeleton`.

    Returns:
        list[Tensor]: ``(N, D)`` for each block, in the order of the names, then of the
        backbone.

    Raises:
        ValueError: If the backbone has no block of a name, or it gives no map.
    """
    settings: dict[str, Any] = dict(pool)
    layers = settings.pop('layers', ())
    if not layers:
        return [pool_skeleton(backbone(x), **settings)]
    maps: dict[str, Tensor] = {}
    handles = [
        block.register_forward_hook(
            lambda _, __, out, name=name: maps.update({name: out})
        )
        for name, block in blocks_of(backbone, layers).items()
    ]
    try:
        # Not the compiled form, which does not call hooks.
        result = backbone.forward(x)
    finally:
        for handle in handles:
            handle.remove()
    found = []
    for name in layers:
        out = maps.get(name)
        if not isinstance(out, Tensor) or out.dim() not in (4, 5):
            raise ValueError(
                f'pool.layers: block {name!r} gives no feature map (N, C, T, V); name '
                'another.'
            )
        if out.dim() == 4 and len(out) != x.shape[0] * x.shape[1]:
            raise ValueError(
                f'pool.layers: block {name!r} leaves persons out; set '
                'backbone.skip_absent=False, or name no layers.'
            )
        out = out if out.dim() == 5 else out.unflatten(0, x.shape[:2])
        found.append(pool_skeleton(out, **settings))
    found.append(pool_skeleton(result, **settings))
    return found


def side_by_side(layers: Sequence[Tensor]) -> Tensor:
    """Features ``(N, D)`` of several layers as one, each scaled to unit length.

    By the cosine, each layer then weighs as much. One layer is returned as it is.
    """
    if len(layers) == 1:
        return layers[0]
    return torch.cat([F.normalize(f, dim=1) for f in layers], 1)
