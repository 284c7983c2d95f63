"""A model card for exported weights, in the form of model hubs."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

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
[hiclr_mmaction](https://pypi.org/project/hiclr-mmaction/) {version}.

## Use

```python
from hiclr_mmaction.apis import extract_features, init_encoder

encoder = init_encoder('.')  # this folder
features = extract_features(encoder, clips)  # a list of (M, T, V, C)
```

{needs}

## Data

{data}

## Recipe

{recipe}

## Measured

{measured}

## Limits

- Clips must be of the layout above; their alignment and stream are part of the model.
- The figures above are of one run on the data above. Other sensors, frame rates, views
  and actions are not measured.
- A skeleton reveals who moves and how: do not identify or judge persons by it.

## Licence

{licence}

## Files

| file | SHA-256 |
|---|---|
| {file} | `{digest}` |
"""


def model_card(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    source: str | os.PathLike,
    weights: Path,
    meta: Mapping[str, Any],
    license: str | None = None,
) -> str:
    """The text of a model card for ``weights``, from what the checkpoint stores."""
    try:
        cfg = config_of(checkpoint, source)
    except ValueError:
        cfg = {}
    classifier = getattr(model, 'cls_head', None) is not None
    backbone = type(model.backbone)
    ours = not backbone.__module__.startswith('mmaction.')
    count = sum(p.numel() for p in model.parameters())
    method = cfg.get('model', {}).get('type', 'unknown')
    return _CARD.format(
        license_tag=license or 'other',
        task='video-classification' if classifier else 'feature-extraction',
        title=f'{method} with {backbone.__name__}',
        what=f'A {"classifier" if classifier else "pre-trained encoder"} of {count:,} '
        'parameters',
        version=meta['hiclr_mmaction_version'],
        needs=(
            f'MMAction2 alone does not build the backbone, `{backbone.__name__}`: it is '
            f'of `{backbone.__module__}`.'
            if ours
            else 'MMAction2 1.2 builds the model without that package: its config is in '
            "the file's metadata, under `cfg`."
        ),
        data=_rows(_data(cfg, meta)),
        recipe=_rows(_recipe(cfg, checkpoint.get('meta') or {}, method)),
        measured=_rows(_metrics(checkpoint, source))
        or 'Nothing: the checkpoint holds no result of a validation.',
        licence=f'`{license}`.'
        if license
        else 'Not stated by its author. Weights may fall under the terms of the data that '
        'they were trained on.',
        file=weights.name,
        digest=hashlib.sha256(weights.read_bytes()).hexdigest(),
    )


def _rows(facts: Mapping[str, Any]) -> str:
    rows = [f'| {k} | {v} |' for k, v in facts.items() if v not in (None, '')]
    return '\n'.join(['| | |', '|---|---|', *rows]) if rows else ''


def _data(cfg: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    prepared = meta['preparation']
    align = [t for t in prepared.get('pipeline', ()) if 'layout' in t]
    layout = next(
        (part['layout'] for part in (prepared.get('data_preprocessor', {}), *align)
         if 'layout' in part), None,
    )  # fmt: skip
    dataset = cfg.get('train_dataloader', {}).get('dataset', {})
    dataset = dataset.get('dataset', dataset)
    classes = (meta.get('dataset_meta') or {}).get('classes')
    return {
        'trained on': dataset.get('type'),
        'file': os.path.basename(str(dataset.get('ann_file', ''))),
        'split': dataset.get('split'),
        'layout': layout if isinstance(layout, str | None) else layout.get('name'),
        'stream': meta['stream'],
        'alignment': ', '.join(f'{k}={v}' for t in align for k, v in t.items()
                               if k not in ('type', 'layout')),
        'classes': None if not classes else ', '.join(map(str, classes)),
    }  # fmt: skip


def _recipe(
    cfg: Mapping[str, Any], meta: Mapping[str, Any], method: str
) -> dict[str, Any]:
    optimizer = cfg.get('optim_wrapper', {}).get('optimizer', {})
    return {
        'method': method,
        'epochs': meta.get('epoch'),
        'iterations': meta.get('iter'),
        'batch': cfg.get('train_dataloader', {}).get('batch_size'),
        'optimiser': ', '.join(f'{k}={v}' for k, v in optimizer.items()),
        'seed': meta.get('seed'),
        'saved': meta.get('time'),
        'mmengine': meta.get('mmengine_version'),
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
