"""Weights of an encoder for the skeleton of another layout."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import Any

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor

from ..datasets.wrapped import is_kind
from ..skeleton import LAYOUTS, SkeletonLayout, get_layout
from ..skeleton.mapping import joint_mapping
from ..views import SkeletonToLayout
from .matching import build_model


def map_backbone(
    weights: Mapping[str, Tensor],
    backbone: Mapping[str, Any],
    source: str | dict | SkeletonLayout,
    target: str | dict | SkeletonLayout,
    where: str | os.PathLike = 'the checkpoint',
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Map the weights of a GCN to another skeleton.

    Parameters of a joint (input batch norm, and learnt edges between pairs of joints)
    become the weighted mean over the source joints that it is computed from
    (:func:`~hiclr_mmaction.skeleton.mapping.joint_mapping`). Fixed edges are those of the
    target. All other weights are copied.

    Args:
        weights (Mapping[str, Tensor]): Weights of the backbone, without prefix.
        backbone (Mapping): Its config, with ``graph_cfg``.
        source (str | dict | SkeletonLayout): The skeleton that it was trained on.
        target (str | dict | SkeletonLayout): The skeleton of the result.
        where (str | os.PathLike): Name of the weights in errors.

    Returns:
        tuple[dict[str, Tensor], dict]: Weights and config for the target.

    Raises:
        ValueError: If the backbone has no ``graph_cfg``, the target cannot be computed from
            the source, or it is unknown how a weight depends on joints.
    """
    before, after = get_layout(source), get_layout(target)
    if not backbone.get('graph_cfg'):
        raise ValueError(
            f'{where}: {backbone["type"]} has no graph_cfg, so that its weights of joints '
            f'are not known; map the data with --to-layout {before.name} instead.'
        )
    if before.coordinates != after.coordinates:
        raise ValueError(
            f'{where} is of {before.coordinates} skeletons ({before.name}), but '
            f'{after.name!r} is {after.coordinates}; name a layout of the same coordinates.'
        )
    mapping = torch.tensor(joint_mapping(before, after).weights)
    # For what must not be extrapolated, such as a variance.
    shares = mapping.abs() / mapping.abs().sum(1, keepdim=True)
    mapped_cfg = _with_layout(backbone, target)
    built = build_model(mapped_cfg, where)
    own = built.state_dict()
    fixed = {name for name, _ in built.named_buffers()}
    # This number of joints differs from the source's.
    other = next(x for x in LAYOUTS.values() if x.num_joints != before.num_joints)
    probe = build_model(_with_layout(backbone, other.name), where).state_dict()
    out = {}
    for name, value in weights.items():
        shape, joints = tuple(value.shape), before.num_joints
        if name in probe and tuple(probe[name].shape) == shape:
            out[name] = value
        elif name in fixed and 'running' not in name:
            out[name] = own[name]
        elif shape[-2:] == (joints, joints):
            out[name] = (shares @ value.float() @ shares.T).to(value)
        elif value.dim() == 1 and len(value) % (joints * 3) == 0:
            exact = name.endswith('running_mean')
            by_joint = value.float().reshape(-1, joints, 3)
            out[name] = ((mapping if exact else shares) @ by_joint).flatten().to(value)
        else:
            raise ValueError(
                f'{where}: {name} is {shape}, and how that belongs to joints is not known '
                f'of {backbone["type"]}; map the data with --to-layout {before.name} '
                'instead.'
            )
    return out, mapped_cfg


def map_preparation(
    prepared: Mapping[str, Any], target: str | dict | SkeletonLayout
) -> dict[str, Any]:
    """The preparation of clips, with the layout replaced."""

    def renamed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                k: copy.deepcopy(target) if k == 'layout' else renamed(v)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [renamed(v) for v in value if not _maps(v)]
        return value

    return renamed(prepared)


def _maps(part: Any) -> bool:
    return is_kind(part, TRANSFORMS, SkeletonToLayout)


def _with_layout(backbone: Mapping[str, Any], layout: Any) -> dict[str, Any]:
    out = copy.deepcopy(dict(backbone))
    out.pop('init_cfg', None)
    graph_cfg = dict(out['graph_cfg'])
    if out['type'] != 'HiCLRSTGCN':  # another's graph knows few names
        mode = graph_cfg.get('mode', 'stgcn_spatial')
        graph_cfg.update(get_layout(layout).graph_cfg(mode))
    else:
        graph_cfg['layout'] = copy.deepcopy(layout)
    out['graph_cfg'] = graph_cfg
    return out
