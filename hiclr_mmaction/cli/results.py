"""Files of results, and what they are results of."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..engine.config_check import PLACES, differences
from ..evaluation.protocol import PROTOCOLS

# What results depend on,
_SECTIONS = (
    'model',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'custom_hooks',
)
# and what in it is only how clips are loaded.
_LOADING = ('num_workers', 'persistent_workers', 'prefetch_factor', 'pin_memory')


def recorded(cfg: Config) -> dict[str, Any]:
    """The settings of a config that results depend on, as JSON keeps them."""
    content = {k: v for k, v in cfg.to_dict().items() if k in _SECTIONS}
    return json.loads(json.dumps(content, default=lambda x: type(x).__qualname__))


def read_results(
    file: Path,
    settings: Mapping[str, Any],
    configs: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The results of an earlier call, which must have the same settings.

    Args:
        file (Path): Of the results.
        settings (Mapping): Of this call, under ``settings`` in the file.
        configs (Mapping, optional): :func:`recorded` of its steps, under ``configs``.
    """
    if not file.exists():
        return {}
    content = json.loads(file.read_text(encoding='utf-8'))
    begun = content.get('cells') or content.get('results')
    if not begun and not any(file.parent.rglob('*.pth')):
        return {}  # of a call that ended before it had any
    for setting, value in settings.items():
        before = content['settings'].get(setting)
        if before != value:
            sys.exit(
                f'{file} is of a run with {setting}={before!r}, this one has '
                f'{value!r}: name another --work-dir'
            )
    known = content.get('configs')
    if configs and known is None:
        print(
            f'warning: {file} does not tell its config. If that has changed since, name '
            'another --work-dir',
            file=sys.stderr,
        )
    for step, now in (configs or {}).items():
        # A protocol gets the encoder of this run.
        ignored = (*PLACES, *_LOADING, *(['checkpoint'] if step in PROTOCOLS else []))
        before = (known or {}).get(step, now)
        changes = list(differences(before, now, '', ignored))
        if changes:
            more = ' and more' if len(changes) > 3 else ''
            sys.exit(
                f'{file} is of a run with another config ({step}): '
                f'{"; ".join(c.lstrip(".") for c in changes[:3])}{more}. Name another '
                '--work-dir, or undo the change'
            )
    return content
