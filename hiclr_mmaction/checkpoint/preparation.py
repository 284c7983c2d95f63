"""The preparation of clips for an encoder, and its comparison between configs."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmaction.datasets.transforms import GenSkeFeat
from mmaction.registry import MODELS, TRANSFORMS

from ..datasets.wrapped import dataset_cfgs, is_kind
from ..models import SkeletonViewPreprocessor
from ..skeleton import SkeletonLayout, get_layout
from ..views import SkeletonAlign, SkeletonStream
from .stored_config import check_types, config_of

SECTIONS = ('model', 'test_dataloader', 'val_dataloader', 'train_dataloader')


def preparation(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The preparation of clips before the backbone, as a config describes it.

    Returns ``data_preprocessor`` without the views, and ``pipeline`` of the test clips, if
    the config has them.
    """
    model = cfg.get('model') or {}
    out = {}
    preprocessor = model.get('data_preprocessor')
    if preprocessor is not None:
        kept = {k: v for k, v in preprocessor.items() if k not in ('views', 'ada_in')}
        out['data_preprocessor'] = copy.deepcopy(kept)
    for loader in SECTIONS[1:]:
        parts = [p for _, p in dataset_cfgs((cfg.get(loader) or {}).get('dataset'), '')]
        # With several data sets, the last one is classified and the others are the bank.
        if parts and parts[-1].get('pipeline'):
            out['pipeline'] = copy.deepcopy(list(parts[-1]['pipeline']))  # type: ignore[arg-type]
            break
    return out


def preparation_of(
    checkpoint: Mapping[str, Any], source: str | os.PathLike
) -> dict[str, Any]:
    """:func:`preparation` of the clips that a checkpoint was trained on.

    Raises a ValueError if the checkpoint does not store it.
    """
    meta = checkpoint.get('meta')
    stored = meta.get('preparation') if isinstance(meta, Mapping) else None
    if isinstance(stored, Mapping):
        check_types(stored)
        return dict(stored)
    return preparation(config_of(checkpoint, source, SECTIONS))


def trained_on(
    prepared: Mapping[str, Any],
) -> tuple[SkeletonLayout | None, int | None]:
    """Layout and number of frames of the backbone's input, if known."""
    settings = _settings(prepared)
    return settings.get('layout'), settings.get('num_frames')


def stream_of(cfg: Mapping[str, Any]) -> str:
    """The stream that a config makes of the joints."""
    return _settings(preparation(cfg)).get('stream', 'joint')


def check_preparation(
    checkpoint: Mapping[str, Any],
    cfg: Mapping[str, Any],
    source: str | os.PathLike,
) -> None:
    """Raise a ValueError if clips are not prepared as they were for the weights.

    Stream, layout, number of frames and the handling of untracked frames are compared, if
    both checkpoint and config store them.
    """
    try:
        trained = _settings(preparation_of(checkpoint, source))
    except ValueError:  # not stored
        return
    now = _settings(preparation(cfg))
    different = [
        name
        for name, value in trained.items()
        if name in now and _plain(value) != _plain(now[name])
    ]
    if different:
        differences = '; '.join(
            f'{name} was {_name(trained[name])} and is {_name(now[name])}'
            for name in different
        )
        settings = dict(stream='model.data_preprocessor.stream', layout='layout')
        remedy = ', '.join(settings.get(n, f'SkeletonAlign.{n}') for n in different)
        mapping = ''
        if 'layout' in different:
            before, after = (_name(x['layout']) for x in (trained, now))
            mapping = (
                f' For clips of {after}, map the encoder (tools/checkpoint/export.py '
                f'--to-layout), or the clips to {before} (SkeletonToLayout in the '
                'pipelines, or --to-layout of the converters).'
            )
        raise ValueError(
            f'{source} was trained on clips prepared otherwise: {differences}. '
            f'Set {remedy} to '
            'what it was trained on, or give another checkpoint.' + mapping
        )


def _settings(prepared: Mapping[str, Any]) -> dict[str, Any]:
    """The compared settings, with their defaults."""
    found: dict[str, Any] = {}
    preprocessor = prepared.get('data_preprocessor') or {}
    pipeline = list(prepared.get('pipeline') or ())
    streams, aligns = (
        [t for t in pipeline if is_kind(t, TRANSFORMS, kind)]
        for kind in (SkeletonStream, SkeletonAlign)
    )
    if is_kind(preprocessor, MODELS, SkeletonViewPreprocessor):
        found.update(stream='joint', layout='nturgb+d')
        found.update({k: preprocessor[k] for k in found if k in preprocessor})
    elif streams:
        found['stream'] = streams[-1].get('stream', 'joint')
    elif pipeline and not any(is_kind(t, TRANSFORMS, GenSkeFeat) for t in pipeline):
        found['stream'] = 'joint'
    if aligns:
        parameters = inspect.signature(SkeletonAlign).parameters
        for name in ('layout', 'num_frames', 'untracked'):
            found[name] = aligns[-1].get(name, parameters[name].default)
    found = {name: value for name, value in found.items() if value is not None}
    if 'layout' in found:
        found['layout'] = get_layout(found['layout'])
    return found


def _plain(value: Any) -> Any:
    """A layout without its name, because one of the two may be given as a dict."""
    return replace(value, name='') if isinstance(value, SkeletonLayout) else value


def _name(value: Any) -> str:
    return repr(value.name if isinstance(value, SkeletonLayout) else value)
