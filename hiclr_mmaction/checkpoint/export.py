"""Export checkpoints to MMAction2 without this package."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor, nn

from ..atomic_write import write_text
from ..models.backbones.hiclr_stgcn import resolve_graph_cfg
from ..skeleton import SkeletonLayout
from ..version import __version__
from ..zoo import WEIGHTS
from .matching import build_model, check_match, part_weights
from .model_card import model_card, training_facts
from .preparation import SECTIONS, preparation, preparation_of, trained_on
from .reading import read_checkpoint
from .stored_config import config_of
from .to_layout import map_backbone, map_preparation
from .writing import check_writable, write_checkpoint

# The layouts that MMAction2's own Graph knows by name, with the same edges.
STOCK_LAYOUTS = ('nturgb+d', 'openpose', 'coco')


def export_checkpoint(
    source: str | os.PathLike,
    target: str | os.PathLike,
    config: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    license: str | None = None,
    to_layout: str | dict | None = None,
    half: bool = False,
) -> dict:
    """Export the encoder, and the classifier if there is one, to ``RecognizerGCN``.

    The file contains the weights ``backbone.*`` and ``cls_head.*``, the config of the model
    (``meta['cfg']``) and the preparation of clips (``meta['preparation']``), so that
    :func:`init_encoder` needs no config. If the widths allow it, the model consists of
    stock MMAction2 classes.

    Args:
        source (str | os.PathLike): Checkpoint of a learner or a recognizer.
        target (str | os.PathLike): The output: a ``.pth`` or ``.safetensors`` file, or a
            folder for a model hub, with ``model.safetensors`` and a model card
            ``README.md``.
        config (Mapping, optional): The full config of ``source``; by default the config
            stored in it.
        overwrite (bool): Whether an existing ``target`` is replaced.
        license (str, optional): Licence of the weights, for the model card. By default
            that of an exported ``source``.
        to_layout (str | dict, optional): Skeleton of the exported model, if it differs:
            parameters are mapped joint by joint (:func:`map_backbone`).
        half (bool): Whether weights with two axes or more are stored in float16. The graph
            and the parameters of normalisation layers stay unchanged.

    Returns:
        dict: The config of the exported model.

    Raises:
        FileNotFoundError: If ``source`` does not exist.
        FileExistsError: If ``target`` exists and ``overwrite`` is false.
        ValueError: If ``source`` is not a checkpoint, stores no model, has no backbone
            weights, does not fit its model, or cannot be mapped to ``to_layout``.
    """
    target = Path(target)
    folder = target if target.suffix not in ('.pth', '.pt', '.safetensors') else None
    if folder is None:
        check_writable(target, overwrite)
    else:
        if folder.is_file():
            raise FileExistsError(f'{folder} is a file; name a folder, or OUT.pth.')
        target = folder / WEIGHTS
        if folder.is_dir():
            check_writable(target, overwrite)
    checkpoint = read_checkpoint(source)
    config = config_of(checkpoint, source, SECTIONS) if config is None else config
    model = dict(config['model'])
    weights = exported_weights(checkpoint['state_dict'], source)
    try:
        prepared = preparation_of(checkpoint, source)
    except ValueError:  # the config is not in the checkpoint
        prepared = preparation(config)
    before, _ = trained_on(prepared)
    if to_layout is not None:
        if before is None:
            raise ValueError(
                f'{source} does not store the layout that it was trained on; give its '
                'config with --config.'
            )
        weights, model = _map(weights, model, before, to_layout, source)
        prepared = map_preparation(prepared, to_layout)
    exported = exported_model_cfg(model)
    recognizer = build_model(exported, source)
    check_match(recognizer, weights, source)
    if half:
        weights = _halved(weights, recognizer)

    known = checkpoint.get('meta') or {}
    others: dict[str, Any] = dict(default_scope='mmaction')
    needed = package_needed(recognizer)
    if needed is not None:
        others['custom_imports'] = dict(imports=[needed], allow_failed_imports=False)
    meta = dict(
        cfg=Config(dict(others, model=exported)).pretty_text,
        # The stream that the preprocessor makes before the backbone.
        stream=prepared.get('data_preprocessor', {}).get('stream', 'joint'),
        preparation=prepared,
        backbone=exported['backbone'],
        # An exported model has it beside its config.
        pool=dict(model.get('pool') or known.get('pool') or {}),
        hiclr_mmaction_version=__version__,
    )
    kept = ('dataset_meta', 'epoch', 'iter', 'mapped_from', 'license')
    meta.update({k: known[k] for k in kept if k in known})
    if license is not None:
        meta['license'] = license
    meta['training'] = training_facts(checkpoint, source)
    if to_layout is not None and before is not None:
        meta.setdefault('mapped_from', before.name)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    write_checkpoint(dict(meta=meta, state_dict=weights), target, overwrite)
    if folder is not None:
        card = model_card(recognizer, target, meta)
        write_text(card, folder / 'README.md')
    return exported


def _map(
    weights: dict[str, Tensor],
    model: Mapping[str, Any],
    layout: SkeletonLayout,
    to_layout: str | dict,
    source: str | os.PathLike,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and model for another layout."""
    if (model.get('cls_head') or {}).get('pool', {}).get('joints'):
        raise ValueError(
            f'{source} has a classifier of single joints (cls_head.pool.joints), which no '
            'other layout has; export the encoder that it was trained from.'
        )
    parts = part_weights(weights, source)
    mapped, backbone = map_backbone(parts, model['backbone'], layout, to_layout, source)
    weights = dict(weights, **{f'backbone.{k}': v for k, v in mapped.items()})
    model = dict(model, backbone=backbone)
    return weights, model


def _halved(weights: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Weights in float16, except vectors and the graph, which loading compares."""
    fixed = {name for name, _ in model.named_buffers()}
    return {
        name: value.half()
        if value.is_floating_point() and value.dim() > 1 and name not in fixed
        else value
        for name, value in weights.items()
    }


def package_needed(model: nn.Module) -> str | None:
    """The package, besides MMAction2, that an exported model needs."""
    module = type(model.backbone).__module__
    if module.startswith('mmaction.'):
        return None
    return 'hiclr_mmaction' if module.startswith('hiclr_mmaction.') else module


def exported_weights(
    state_dict: Mapping[str, Tensor], source: str | os.PathLike
) -> dict[str, Tensor]:
    """The weights of backbone and classifier; a ValueError if there are none."""
    parts = ('backbone.', 'cls_head.')
    part_weights(state_dict, source)  # raises where there are none
    weights = {k: v.clone() for k, v in state_dict.items() if k.startswith(parts)}
    return weights


def exported_model_cfg(model: Mapping[str, Any]) -> dict:
    """The ``RecognizerGCN`` around a model's backbone and classifier.

    The backbone is stock ``STGCN`` where that has the widths of :class:`HiCLRSTGCN`.
    """
    exported = dict(type='RecognizerGCN', backbone=_stock_backbone(model['backbone']))
    if model.get('cls_head') is not None:
        exported['cls_head'] = _without_init(model['cls_head'])
    return exported


def _stock_backbone(backbone: Mapping[str, Any]) -> dict:
    backbone = _without_init(backbone)
    if backbone['type'] != 'HiCLRSTGCN' or backbone.get('skip_absent'):
        return backbone
    stock = dict(backbone, type='STGCN')
    for ours in ('out_channels', 'frames_first', 'skip_absent', 'zero_init_residual'):
        stock.pop(ours, None)
    stock.setdefault('base_channels', 16)
    graph_cfg = dict(stock['graph_cfg'])
    if graph_cfg.get('layout') not in STOCK_LAYOUTS:
        graph_cfg = resolve_graph_cfg(graph_cfg)
    stock['graph_cfg'] = graph_cfg
    shapes = [
        {k: v.shape for k, v in build_model(cfg).state_dict().items()}
        for cfg in (stock, backbone)
    ]
    return stock if shapes[0] == shapes[1] else backbone


def _without_init(part: Mapping[str, Any]) -> dict:
    """The config without ``init_cfg``, which may name a local file."""
    rest = copy.deepcopy(dict(part))
    rest.pop('init_cfg', None)
    return rest
