"""A model card for exported weights, in the form of model hubs."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from ..datasets.wrapped import dataset_cfgs
from ..skeleton import get_layout
from .stored_config import config_of

_CARD = """\
---
license: {license_tag}
library_name: hiclr-mmaction
pipeline_tag: {task}
tags:
- skeleton-based-action-recognition
- self-supervised-learning
- mmaction2
---

# {title}

{what} for skeleton clips, exported by
`hiclr_mmaction` {version}.

## Use

```python
from hiclr_mmaction.apis import extract_features, init_encoder

encoder = init_encoder('.')  # this folder
features = extract_features(encoder, clips{layout_argument})  # a list of (M, T, V, C)
```

{needs}

## Data

{data}

## Recipe

{recipe}

## Measured

{before_mapping}{measured}

## Limits

- {clips}
- {figures} Other sensors, frame rates, views and actions are not
  measured.
- A skeleton reveals who moves and how: do not identify or judge persons by it.

## Licence

{licence}

## Files

| file | SHA-256 |
|---|---|
| {file} | `{digest}` |
"""


def training_facts(
    checkpoint: Mapping[str, Any], source: str | os.PathLike
) -> dict[str, Any]:
    """What a model card says of a training: ``method``, ``data``, ``recipe``, ``measured``.

    An exported checkpoint keeps those of the one that it was exported from.
    """
    meta = checkpoint.get('meta') or {}
    if 'training' in meta:
        return meta['training']
    if 'preparation' in meta:  # of an export that does not say it
        recipe = {
            'exported from': os.path.basename(source),
            'epochs': meta.get('epoch'),
        }
        return dict(method='Encoder', data={}, recipe=recipe, measured={})
    try:
        cfg = config_of(checkpoint, source)
    except ValueError:
        cfg = {}
    method = cfg.get('model', {}).get('type', 'unknown')
    return dict(
        method=method,
        data=_data(cfg),
        recipe=dict(method=method, **_recipe(cfg, meta)),
        measured=_metrics(checkpoint, source),
    )


def model_card(
    model: nn.Module,
    weights: Path,
    meta: Mapping[str, Any],
) -> str:
    """The text of a model card for ``weights``, from what is exported with them."""
    facts, license = meta['training'], meta.get('license')
    classifier = getattr(model, 'cls_head', None) is not None
    backbone = type(model.backbone)
    ours = not backbone.__module__.startswith('mmaction.')
    count = sum(p.numel() for p in model.parameters())
    layout, prepared = _prepared(meta)
    classes = (meta.get('dataset_meta') or {}).get('classes') if classifier else None
    if classes:
        prepared['classes'] = ', '.join(map(str, classes))
    named = isinstance(layout, str)
    return _CARD.format(
        license_tag=license or 'other',
        task='video-classification' if classifier else 'feature-extraction',
        title=f'{facts["method"]} with {backbone.__name__}',
        what=f'A {"classifier" if classifier else "pre-trained encoder"} of {count:,} '
        'parameters',
        version=meta['hiclr_mmaction_version'],
        layout_argument=f', layout={layout!r}' if named else '',
        needs=(
            f'MMAction2 alone does not build the backbone, `{backbone.__name__}`: it is '
            f'of `{backbone.__module__}`.'
            if ours
            else 'MMAction2 1.2 builds the model without that package: its config is in '
            "the file's metadata, under `cfg`."
        ),
        data=_rows({**facts['data'], **prepared}),
        recipe=_rows(facts['recipe']),
        before_mapping='Before the encoder was mapped to another layout; the mapped one '
        'was not measured.\n\n'
        if meta.get('mapped_from') and facts['measured']
        else '',
        measured=_rows(facts['measured'])
        or 'Nothing: the checkpoint holds no result of a validation.',
        clips=_clips(layout),
        figures='The figures above are of one run on the data above.'
        if facts['measured']
        else 'No figure was measured.',
        licence=f'`{license}`.'
        if license
        else 'Not stated by its author. Weights may fall under the terms of the data that '
        'they were trained on.',
        file=weights.name,
        digest=hashlib.sha256(weights.read_bytes()).hexdigest(),
    )


def _rows(facts: Mapping[str, Any]) -> str:
    known = {k: str(v) for k, v in facts.items() if v not in (None, '')}
    rows = [f'| {k} | {v.replace("|", chr(92) + "|")} |' for k, v in known.items()]
    return '\n'.join(['| | |', '|---|---|', *rows]) if rows else ''


def _data(cfg: Mapping[str, Any]) -> dict[str, str]:
    """What the clips of the training are."""
    loader = cfg.get('train_dataloader', {})
    parts = [part for _, part in dataset_cfgs(loader.get('dataset'), '')]

    def each(name: str, shown: Any = str) -> str:
        given = [part[name] for part in parts if part.get(name)]
        return ', '.join(dict.fromkeys(map(shown, given)))

    return {
        'trained on': each('type'),
        'file': each('ann_file', os.path.basename),
        'split': each('split'),
        'layout of the files': each('layout', lambda x: get_layout(x).name),
    }


def _prepared(meta: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The layout of the encoder, and how clips are prepared for it."""
    prepared = meta['preparation']
    align = [
        t
        for t in prepared.get('pipeline', ())
        if 'layout' in t and t.get('type') != 'SkeletonToLayout'
    ]
    parts = (prepared.get('data_preprocessor', {}), *align)
    layout = next((part['layout'] for part in parts if 'layout' in part), None)
    return layout, {
        'layout': None if layout is None else get_layout(layout).name,
        'mapped from': meta.get('mapped_from'),
        'stream': meta['stream'],
        'alignment': ', '.join(
            f'{k}={v}'
            for t in align
            for k, v in t.items()
            if k not in ('type', 'layout')
        ),
    }


def _clips(layout: Any) -> str:
    """Which clips the model takes."""
    if layout is None:
        return 'Clips must be prepared as the config says.'
    if get_layout(layout).coordinates == '2d':
        return (
            'Clips are pixels and scores; `layout=` maps those of other layouts to the '
            'one above.'
        )
    return (
        'Clips are metres with y up; `layout=` maps those of other 3-D layouts to the one '
        'above. 2-D skeletons have no depth.'
    )


def _recipe(cfg: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    optimizer = cfg.get('optim_wrapper', {}).get('optimizer', {})
    init = (cfg.get('model', {}).get('backbone') or {}).get('init_cfg')
    started = init.get('checkpoint') if isinstance(init, Mapping) else None
    if not cfg.get('resume'):
        started = started or cfg.get('load_from')
    # mmengine appends the commit of the folder that it runs in, or 'unknown'.
    stored = str(meta.get('mmengine_version', ''))
    version, *commit = re.split('(?=[0-9a-f]{40}$|unknown$)', stored)
    name = re.sub(r'_\d+_\d+$', '', str(meta.get('experiment_name', '')))
    return {
        'config': meta.get('config_file') or name,
        'command': f'`{meta["command"]}`' if meta.get('command') else None,
        'commit': None if commit in ([], ['unknown']) else commit[0],
        'started from': '/'.join(Path(started or '').parts[-2:]),
        'epochs': meta.get('epoch'),
        'iterations': meta.get('iter'),
        'batch': cfg.get('train_dataloader', {}).get('batch_size'),
        'optimiser': ', '.join(f'{k}={v}' for k, v in optimizer.items()),
        'seed': meta.get('seed'),
        'saved': meta.get('time'),
        'software': ', '.join(
            filter(None, [meta.get('software'), version and f'mmengine {version}'])
        ),
    }


def _metrics(
    checkpoint: Mapping[str, Any], source: str | os.PathLike
) -> dict[str, str]:
    """Metrics of the saved epoch from the run's log, or of an earlier epoch."""
    epoch = (checkpoint.get('meta') or {}).get('epoch')
    for log in Path(source).parent.glob('*/vis_data/scalars.json'):
        for line in log.read_text(encoding='utf-8').splitlines():
            values = json.loads(line)
            found = {k: v for k, v in values.items() if k.startswith(('knn/', 'acc/'))}
            if found and values.get('step') == epoch:
                return {f'{k}, epoch {epoch}': f'{v:.4f}' for k, v in found.items()}
    hub = checkpoint.get('message_hub') or {}
    return {
        f'{name.removeprefix("val/")}, validation before epoch {epoch} was saved': (
            f'{float(buffer.current()):.4f}'
        )
        for name, buffer in hub.get('log_scalars', {}).items()
        if name.startswith(('val/knn/', 'val/acc/'))
    }
