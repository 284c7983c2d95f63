"""Checks that weights fit a model, before they are loaded."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from .preparation import check_preparation
from .reading import read_checkpoint
from .stored_config import model_cfg_of


def build_model(
    cfg: Mapping[str, Any], source: str | os.PathLike = 'the config'
) -> nn.Module:
    """Build a model or a part of one, inside or outside of a runner.

    Args:
        cfg (Mapping[str, Any]): Its config.
        source (str | os.PathLike): What the error calls the place of the config.

    Raises:
        ValueError: If no class of that name is registered.
    """
    missing = [
        part['type']
        for part in (cfg, cfg.get('backbone'), cfg.get('cls_head'))
        if part and isinstance(part['type'], str) and MODELS.get(part['type']) is None
    ]
    if missing:
        raise ValueError(
            f'{missing[0]} of {source} is not registered: give the config whose '
            'custom_imports names its module, and have that on PYTHONPATH.'
        )
    with DefaultScope.overwrite_default_scope('mmaction'):
        return MODELS.build(copy.deepcopy(dict(cfg)))


def check_match(
    model: nn.Module, state_dict: Mapping[str, Tensor], source: str | os.PathLike
) -> None:
    """Check that the names and shapes of weights match a model.

    The state of generators (``_extra_state``) may be missing: it is not a weight.

    Args:
        model (nn.Module): The model.
        state_dict (Mapping[str, Tensor]): The weights.
        source (str | os.PathLike): What the error calls the weights.

    Raises:
        ValueError: If they differ; the message names the first keys that do.
    """
    expected = {name: tuple(v.shape) for name, v in model.state_dict().items()}
    given = {name: tuple(v.shape) for name, v in state_dict.items()}
    wrong = [
        f'{name} is {given[name]}, the model has {shape}'
        for name, shape in expected.items()
        if given.get(name, shape) != shape
    ]
    missing = [
        f'{name} is missing'
        for name in expected
        if name not in given and not name.endswith('_extra_state')
    ]
    extra = [f'{name} is not in the model' for name in given if name not in expected]
    if wrong or missing or extra:
        # A few of each kind: another width changes shapes, another model changes names.
        first = [text for kind in (wrong, missing, extra) for text in kind[:2]]
        raise ValueError(
            f'{source} does not fit the model ({type(model).__name__}): '
            f'{len(wrong)} shapes differ, {len(missing)} keys are missing, '
            f'{len(extra)} are not known. First: {"; ".join(first)}. Give the config '
            'that the weights were trained with, or other weights.'
        )


def part_weights(
    state_dict: Mapping[str, Tensor],
    source: str | os.PathLike,
    prefix: str = 'backbone.',
) -> dict[str, Tensor]:
    """The weights of a part, without their prefix; a ValueError if there are none."""
    weights = {
        name.removeprefix(prefix): value
        for name, value in state_dict.items()
        if name.startswith(prefix)
    }
    if not weights:
        parts = dict.fromkeys(f'{name.partition(".")[0]}.*' for name in state_dict)
        remedy = 'Give a checkpoint of linear evaluation or fine-tuning.'
        if 'backbone' in prefix:
            remedy = (
                'Give a checkpoint of HiCLR or of a recognizer; released HiCLR weights '
                'go through tools/checkpoint/from_hiclr.py first.'
            )
        raise ValueError(
            f'{source} holds no {prefix.rstrip(".")} weights ({prefix}*), but '
            f'{", ".join(list(parts)[:8])} (first {next(iter(state_dict))}). {remedy}'
        )
    return weights


def load_weights(
    model: nn.Module, state_dict: Mapping[str, Tensor], source: str | os.PathLike
) -> None:
    """Load weights that are those of a model, see :func:`check_match`."""
    check_match(model, state_dict, source)
    model.load_state_dict(state_dict, strict=False)  # for the generators


def check_evaluated(
    model: nn.Module, state_dict: Mapping[str, Tensor], source: str | os.PathLike
) -> None:
    """Raise a ValueError unless all parts that make predictions have matching weights.

    mmengine loads matching weights and leaves the others random. In a learner, the first of
    its ``encoders`` makes the predictions.
    """
    if hasattr(model, 'encoders'):
        encoders: Any = model.encoders
        parts = dict([next(iter(encoders.items()))])
    else:
        parts = {
            name: part
            for name, part in model.named_children()
            if name != 'data_preprocessor' and part.state_dict()
        }
    for name, part in parts.items():
        weights = part_weights(state_dict, source, f'{name}.')
        check_match(part, weights, f'{name} of {source}')


def matching_backbone(
    backbone: nn.Module,
    checkpoint: Mapping[str, Any],
    source: str | os.PathLike,
    prefix: str = 'backbone.',
) -> dict[str, Tensor]:
    """The weights for a backbone, after a check that they match it.

    Compares names, shapes and, if the graph is fixed, its edges: ``nturgb+d`` and
    ``nturgb+d-stgcn`` have the same joints but different edges. (Learnt graphs with the
    same number of joints cannot be distinguished.)

    Args:
        backbone (nn.Module): The backbone, built.
        checkpoint (Mapping[str, Any]): From :func:`read_checkpoint`.
        source (str | os.PathLike): Name of the checkpoint in errors.
        prefix (str): Prefix of the backbone's weights; may be empty.

    Returns:
        dict[str, Tensor]: A state dict of ``backbone``.

    Raises:
        ValueError: If there are no weights of a backbone, or they are of another width,
            another layout or another backbone.
    """
    weights = part_weights(checkpoint['state_dict'], source, prefix)
    graphs = dict(_graphs(backbone))
    for name, own in graphs.items():
        joints = weights[name].shape[-1] if name in weights else own.shape[-1]
        if joints != own.shape[-1]:
            raise ValueError(
                f'{source} is of another layout: {name} is {tuple(weights[name].shape)}, '
                f'the model has {tuple(own.shape)}, so {joints} joints against '
                f'{own.shape[-1]}. {_remedy("graph_cfg.layout", checkpoint)}'
            )
    try:
        check_match(backbone, weights, source)
    except ValueError as error:
        settings = 'base_channels, out_channels (the widths) and num_stages'
        raise ValueError(f'{error} {_remedy(settings, checkpoint)}') from None
    for name, own in graphs.items():
        # Loose, because the numbers may have been computed in another precision.
        if not torch.allclose(weights[name].to(own), own, atol=1e-4):
            raise ValueError(
                f'{source} is of another layout: {name} has as many joints as the '
                f'model, {own.shape[-1]}, but other edges between them. '
                f'{_remedy("graph_cfg.layout", checkpoint)}'
            )
    return weights


def check_pretrained(
    model: nn.Module,
    load_from: str | None = None,
    cfg: Mapping[str, Any] | None = None,
) -> bool:
    """Check the pre-trained weights of a model's backbone.

    mmengine itself only warns about wrong weights, and continues with random ones.

    Args:
        model (nn.Module): Built, with a ``backbone`` whose ``init_cfg`` of type
            ``Pretrained`` names a file.
        load_from (str, optional): Checkpoint of the full model, loaded afterwards.
        cfg (Mapping, optional): The full config, for :func:`check_preparation`.

    Returns:
        bool: Whether a file is named.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If it cannot be read, does not match the backbone (see
            :func:`matching_backbone`) or was trained on clips with another preparation.
    """
    backbone: Any = model.backbone
    init_cfg = getattr(backbone, 'init_cfg', None) or []
    sources = [
        (cfg.get('checkpoint'), cfg.get('prefix') or '')
        for cfg in ([init_cfg] if isinstance(init_cfg, Mapping) else init_cfg)
        if cfg['type'] == 'Pretrained'
    ]
    if load_from is not None:
        sources.append((load_from, 'backbone'))
    for path, prefix in sources:
        if path is None:
            raise ValueError(
                "model.backbone.init_cfg is of type 'Pretrained', but names no "
                'checkpoint; set model.backbone.init_cfg.checkpoint.'
            )
        prefix = prefix and prefix.rstrip('.') + '.'
        checkpoint = read_checkpoint(path)
        if cfg is not None:  # first: weights of another skeleton do not match either
            check_preparation(checkpoint, cfg, path)
        matching_backbone(backbone, checkpoint, path, prefix)
    return bool(sources)


def _graphs(backbone: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Buffers that are fixed when a backbone is built, such as its graph."""
    for prefix, module in backbone.named_modules():
        if not isinstance(module, _NormBase):
            for name, buffer in module.named_buffers(prefix, recurse=False):
                if buffer.is_floating_point() and buffer.dim() >= 2:
                    yield name, buffer


def _remedy(settings: str, checkpoint: Mapping[str, Any]) -> str:
    """The settings to change, with values if the checkpoint stores its model."""
    try:
        trained = model_cfg_of(checkpoint, '').get('backbone', {})
    except ValueError:
        trained = {}
    keys = ('type', 'graph_cfg', 'base_channels', 'out_channels', 'num_stages')
    values = ', '.join(f'{k}={trained[k]!r}' for k in keys if k in trained)
    return (
        f'Set {settings} of model.backbone to what the checkpoint was trained with'
        + (f' ({values})' if values else '')
        + ', or give another checkpoint.'
    )
