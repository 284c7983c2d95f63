"""Weights of the released HiCLR project in our names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from mmaction.models.utils.graph import Graph
from torch import Tensor

from ..skeleton import get_layout

# Within one encoder of the released project -> within ours.
_RULES = [
    (r'data_bn\.(.+)', r'backbone.data_bn.\1'),
    (r'st_gcn_networks\.(\d+)\.gcn\.conv\.(.+)', r'backbone.gcn.\1.gcn.conv.\2'),
    (r'st_gcn_networks\.(\d+)\.tcn\.0\.(.+)', r'backbone.gcn.\1.gcn.bn.\2'),
    (r'st_gcn_networks\.(\d+)\.tcn\.2\.(.+)', r'backbone.gcn.\1.tcn.conv.\2'),
    (r'st_gcn_networks\.(\d+)\.tcn\.3\.(.+)', r'backbone.gcn.\1.tcn.bn.\2'),
    (r'st_gcn_networks\.(\d+)\.residual\.0\.(.+)', r'backbone.gcn.\1.residual.conv.\2'),
    (r'st_gcn_networks\.(\d+)\.residual\.1\.(.+)', r'backbone.gcn.\1.residual.bn.\2'),
    (r'fc\.([02])\.(.+)', r'neck.mlp.\1.\2'),
    (r'fc\.(weight|bias)', r'cls_head.fc.\1'),
]


def from_hiclr(
    state_dict: Mapping[str, Tensor], layout: str | dict = 'nturgb+d-stgcn'
) -> dict[str, Tensor]:
    """Convert a released state dict of the GCN encoder.

    Args:
        state_dict (Mapping[str, Tensor]): Of the released project's ``HiCLR``: from
            pre-training (two encoders and the queue), or from linear evaluation or
            fine-tuning (one encoder with a classifier).
        layout (str | dict): Layout of the model that the weights are for.

    Returns:
        dict[str, Tensor]: For :class:`HiCLR` (pre-training), else for
        ``RecognizerGCN``; the backbone is :class:`HiCLRSTGCN`.

    Raises:
        ValueError: If the adjacency is not that of the layout, or a key is unknown.
    """
    layout = get_layout(layout)
    pretraining = 'queue' in state_dict
    out: dict[str, Tensor] = {}
    for name, value in state_dict.items():
        encoder, _, rest = name.partition('.')
        if encoder == 'encoder_q':
            out.update(_encoder_entry(rest, value, '', layout, name))
        elif encoder == 'encoder_k' and pretraining:
            prefix = 'key_encoder.module.'
            out.update(_encoder_entry(rest, value, prefix, layout, name))
        elif name == 'queue':
            out['queue.features'] = value.T.contiguous()
        elif name == 'queue_ptr':
            out['queue.pointer'] = value.reshape(())
        elif name == 'mask_param':
            out['mask_token'] = value
        else:
            raise ValueError(_unknown(name))
    if pretraining:
        # mmengine's average copies its source when it has made no step yet, which
        # would overwrite the loaded key encoder.
        out['key_encoder.steps'] = torch.tensor(1)
        out['_mining_active'] = torch.tensor(0)
    _spread_adjacency(out)
    return out


def _encoder_entry(rest: str, value: Tensor, prefix: str, layout, name: str) -> dict:
    """One entry of an encoder; ``A`` and edge importance get their block's name."""
    if rest == 'A':
        A = torch.tensor(Graph(**layout.graph_cfg('stgcn_spatial')).A).to(value)
        if A.shape != value.shape or not torch.allclose(A, value, atol=1e-4):
            raise ValueError(
                f'{name} is not the adjacency of layout {layout.name!r} (stgcn_spatial): '
                'the weights were trained on another graph; name its layout.'
            )
        return {f'{prefix}A': value}
    importance = re.fullmatch(r'edge_importance(\d+)', rest)
    if importance:
        return {f'{prefix}backbone.gcn.{int(importance[1]) - 1}.gcn.PA': value}
    for pattern, replacement in _RULES:
        if re.fullmatch(pattern, rest):
            return {prefix + re.sub(pattern, replacement, rest): value}
    raise ValueError(_unknown(name))


def _spread_adjacency(out: dict[str, Tensor]) -> None:
    """The released encoder holds one adjacency, ours one in each block."""
    for name in [n for n in out if n.endswith('.gcn.PA')]:
        prefix = name.partition('backbone.')[0]
        if f'{prefix}A' in out:
            out[name[:-2] + 'A'] = out[f'{prefix}A'].clone()
    for name in [n for n in out if n in ('A', 'key_encoder.module.A')]:
        del out[name]


def _unknown(name: str) -> str:
    return (
        f'{name} is no entry of a state dict of the released HiCLR with its GCN encoder; '
        'give the state dict of such a checkpoint.'
    )
