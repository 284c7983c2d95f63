"""Convert weights of the released HiCLR project."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import torch
from mmaction.models.utils.graph import Graph
from mmengine.config import Config
from torch import Tensor

from ..models.backbones.dsta import positional_encoding
from ..skeleton import SkeletonLayout, get_layout
from ..version import __version__
from .matching import build_model, check_match
from .preparation import preparation
from .reading import read_checkpoint
from .writing import check_writable, write_checkpoint

# Within one encoder of the released project -> within ours. None: left out.
_GCN_RULES = [
    (r'data_bn\.(.+)', r'backbone.data_bn.\1'),
    (r'st_gcn_networks\.(\d+)\.gcn\.conv\.(.+)', r'backbone.gcn.\1.gcn.conv.\2'),
    (r'st_gcn_networks\.(\d+)\.tcn\.0\.(.+)', r'backbone.gcn.\1.gcn.bn.\2'),
    (r'st_gcn_networks\.(\d+)\.tcn\.2\.(.+)', r'backbone.gcn.\1.tcn.conv.\2'),
    (r'st_gcn_networks\.(\d+)\.tcn\.3\.(.+)', r'backbone.gcn.\1.tcn.bn.\2'),
    (r'st_gcn_networks\.(\d+)\.residual\.0\.(.+)', r'backbone.gcn.\1.residual.conv.\2'),
    (r'st_gcn_networks\.(\d+)\.residual\.1\.(.+)', r'backbone.gcn.\1.residual.bn.\2'),
]
_DSTA_RULES = [
    (r'proj\.(.+)', r'backbone.stem.0.\1'),
    (r'input_map\.0\.(.+)', r'backbone.stem.1.\1'),
    (r'graph_layers\.(\d+)\.in_nets\.(.+)', r'backbone.blocks.\1.attention.embed.\2'),
    (r'graph_layers\.(\d+)\.alphas', r'backbone.blocks.\1.attention.scale'),
    (r'graph_layers\.(\d+)\.attention0s', r'backbone.blocks.\1.attention.shared'),
    (r'graph_layers\.(\d+)\.atts', None),
    (r'graph_layers\.(\d+)\.pes\.pe', r'backbone.blocks.\1.attention.position'),
    (r'graph_layers\.(\d+)\.out_nets\.(.+)', r'backbone.blocks.\1.mix.\2'),
    (r'graph_layers\.(\d+)\.downs1\.(.+)', r'backbone.blocks.\1.mix_residual.\2'),
    (r'graph_layers\.(\d+)\.ff_nets\.(.+)', r'backbone.blocks.\1.feed_forward.\2'),
    (
        r'graph_layers\.(\d+)\.downs2\.(.+)',
        r'backbone.blocks.\1.feed_forward_residual.\2',
    ),
    (r'graph_layers\.(\d+)\.out_nett\.(.+)', r'backbone.blocks.\1.tcn.\2'),
    (r'graph_layers\.(\d+)\.downt2\.(.+)', r'backbone.blocks.\1.tcn_residual.\2'),
]
_FC_RULES = [
    (r'fc\.([02])\.(.+)', r'neck.mlp.\1.\2'),
    (r'fc\.(weight|bias)', r'cls_head.fc.\1'),
]
_RULES = _GCN_RULES + _DSTA_RULES + _FC_RULES


def from_hiclr(
    state_dict: Mapping[str, Tensor], layout: str | dict = 'nturgb+d-stgcn'
) -> dict[str, Tensor]:
    """Convert a released state dict of the GCN or the DSTA encoder.

    Args:
        state_dict (Mapping[str, Tensor]): State dict of the released project's ``HiCLR``
            from pre-training (two encoders and the queue), or from linear evaluation or
            fine-tuning (one encoder with a classifier).
        layout (str | dict): Layout of the model.

    Returns:
        dict[str, Tensor]: Weights for :class:`HiCLR` (pre-training) or ``RecognizerGCN``;
        the backbone is :class:`HiCLRSTGCN` or :class:`DSTANet`.

    Raises:
        ValueError: If the adjacency or the number of joints is not that of the layout,
            or a key is unknown.
    """
    skeleton = get_layout(layout)
    pretraining = 'queue' in state_dict
    out: dict[str, Tensor] = {}
    for name, value in state_dict.items():
        encoder, _, rest = name.partition('.')
        if encoder == 'encoder_q':
            out.update(_encoder_entry(rest, value, '', skeleton, name))
        elif encoder == 'encoder_k' and pretraining:
            prefix = 'key_encoder.module.'
            out.update(_encoder_entry(rest, value, prefix, skeleton, name))
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
    _fill_positions(out)
    return out


def released_model_cfg(
    state_dict: Mapping[str, Tensor], layout: str | dict = 'nturgb+d-stgcn'
) -> dict:
    """The model for weights of :func:`from_hiclr`, its widths taken from them."""
    backbone = _backbone_cfg(state_dict, layout)
    preprocessor = dict(type='SkeletonViewPreprocessor', layout=layout)
    classifier = state_dict.get('cls_head.fc.weight')
    if classifier is not None:
        num_classes, width = classifier.shape
        return dict(
            type='RecognizerGCN',
            data_preprocessor=preprocessor,
            backbone=backbone,
            cls_head=dict(type='GCNHead', num_classes=num_classes, in_channels=width),
        )
    needed = ('neck.mlp.0.weight', 'neck.mlp.2.weight', 'queue.features')
    if any(name not in state_dict for name in needed):
        # An encoder alone, as a classifier's weights without the classifier are.
        return dict(
            type='RecognizerGCN', data_preprocessor=preprocessor, backbone=backbone
        )
    projector = [state_dict[name] for name in needed[:2]]
    return dict(
        type='HiCLR',
        data_preprocessor=preprocessor,
        backbone=backbone,
        neck=dict(
            type='SkeletonProjector',
            in_channels=projector[0].shape[1],
            hid_channels=projector[0].shape[0],
            out_channels=projector[1].shape[0],
        ),
        head=dict(type='HierarchicalContrastHead'),
        queue_size=len(state_dict['queue.features']),
        mining=dict(topk=1),
        mask_token='mask_token' in state_dict,
    )


def convert_hiclr(
    source: str | os.PathLike,
    target: str | os.PathLike,
    layout: str | dict = 'nturgb+d-stgcn',
    model: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> dict:
    """Convert a checkpoint file of the released HiCLR.

    Args:
        source (str | os.PathLike): A ``.pt`` file of the released project.
        target (str | os.PathLike): The file to write.
        layout (str | dict): Layout of the skeleton that the weights are for.
        model (Mapping, optional): Config of the model; by default it is derived from the
            shapes of the weights.
        overwrite (bool): Whether an existing ``target`` is replaced.

    Returns:
        dict: The config of the model, which is also stored in the file.

    Raises:
        FileNotFoundError: If ``source`` does not exist.
        FileExistsError: If ``target`` exists and ``overwrite`` is false.
        ValueError: If the file is not a checkpoint of the released HiCLR, or its layout or
            a width differs from the model's.
    """
    check_writable(target, overwrite)
    state_dict = from_hiclr(read_checkpoint(source)['state_dict'], layout)
    state_dict = {
        name: v.float() if v.is_floating_point() else v
        for name, v in state_dict.items()
    }
    found = released_model_cfg(state_dict, layout)
    model = found if model is None else dict(model)
    built = build_model(model)
    check_match(built, state_dict, source)
    state_dict = {**built.state_dict(), **state_dict}  # adds what is not a weight
    pipeline = [
        dict(type='SkeletonAlign', layout=layout, untracked='released'),
        dict(type='PackSkeletonViews'),
    ]
    prepared = preparation(
        dict(model=model, test_dataloader=dict(dataset=dict(pipeline=pipeline)))
    )
    meta = dict(
        cfg=model_text(model),
        preparation=prepared,
        hiclr_mmaction_version=__version__,
    )
    write_checkpoint(dict(meta=meta, state_dict=state_dict), target, overwrite)
    return model


def model_text(model: Mapping[str, Any], **others: Any) -> str:
    """A config with this model as the text that MMEngine keeps in checkpoints."""
    return Config(dict(others, model=dict(model))).pretty_text


def _backbone_cfg(state_dict: Mapping[str, Tensor], layout: str | dict) -> dict:
    first = state_dict.get('backbone.gcn.0.tcn.conv.weight')
    if first is not None:
        blocks = _numbers(state_dict, r'backbone\.gcn\.(\d+)\.')
        last = state_dict.get(f'backbone.gcn.{max(blocks)}.tcn.conv.weight', first)
        return dict(
            type='HiCLRSTGCN',
            graph_cfg=dict(layout=layout, mode='stgcn_spatial'),
            base_channels=len(first),
            out_channels=len(last),
        )
    if 'backbone.stem.0.weight' in state_dict:
        # Strides leave no trace in the weights: they are the released ones, and with
        # them the whole default. Other widths are then reported as not matching.
        return dict(type='DSTANet', num_joints=get_layout(layout).num_joints)
    raise ValueError(
        'there are no backbone weights (encoder_q.st_gcn_networks..., or '
        f'encoder_q.graph_layers...); the first keys are {list(state_dict)[:3]}. Give a '
        'checkpoint of the released HiCLR.'
    )


def _numbers(names: Mapping[str, Tensor], pattern: str) -> set[int]:
    found = (re.match(pattern, name) for name in names)
    return {int(match[1]) for match in found if match}


def _encoder_entry(
    rest: str, value: Tensor, prefix: str, layout: SkeletonLayout, name: str
) -> dict[str, Tensor]:
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
    if rest.endswith('.attention0s') and value.shape[-1] != layout.num_joints:
        raise ValueError(_wrong_joints(name, value, layout))
    if rest.endswith('.pes.pe'):
        if value.shape[-1] != layout.num_joints:
            raise ValueError(_wrong_joints(name, value, layout))
        value = value[0, :, :1]  # all frames have the same
    for pattern, replacement in _RULES:
        if re.fullmatch(pattern, rest):
            if replacement is None:
                return {}
            return {prefix + re.sub(pattern, replacement, rest): value}
    raise ValueError(_unknown(name))


def _spread_adjacency(out: dict[str, Tensor]) -> None:
    """Copy the released encoder's single adjacency to each of our blocks."""
    for name in [n for n in out if n.endswith('.gcn.PA')]:
        prefix = name.partition('backbone.')[0]
        if f'{prefix}A' in out:
            out[name[:-2] + 'A'] = out[f'{prefix}A'].clone()
    for name in [n for n in out if n in ('A', 'key_encoder.module.A')]:
        del out[name]


def _fill_positions(out: dict[str, Tensor]) -> None:
    """Add the positional encodings of attention to weights that come without them.

    They are computed from the shape. If all weights are rounded to float16, the encodings
    are rounded too.
    """
    suffix = 'attention.embed.weight'
    blocks = [n.removesuffix('embed.weight') for n in out if n.endswith(suffix)]
    missing = [n for n in blocks if f'{n}position' not in out]
    half = missing and all(
        torch.equal(v, v.half().to(v)) for v in out.values() if v.is_floating_point()
    )
    for block in missing:
        weight = out[f'{block}embed.weight']
        joints = out[f'{block}shared'].shape[-1]
        code = positional_encoding(joints, weight.shape[1]).T.unsqueeze(1)
        out[f'{block}position'] = code.half().to(weight) if half else code.to(weight)


def _wrong_joints(name: str, value: Tensor, layout: SkeletonLayout) -> str:
    return (
        f'{name} is for {value.shape[-1]} joints, layout {layout.name!r} has '
        f'{layout.num_joints}: name the layout that the weights were trained on.'
    )


def _unknown(name: str) -> str:
    return (
        f'{name} is not an entry of a state dict of the released HiCLR, with GCN encoder '
        'or DSTA encoder without temporal attention; give the state dict of such a '
        'checkpoint.'
    )
