"""Checks of a config before anything is built or read.

:func:`check_config` checks names and numbers, :func:`check_widths` the built model, and
:func:`check_work_dir` the folder of the run. Checks that need the data are in
:class:`PretrainCheckHook`.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import DATASETS, MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.device import get_device
from torch import nn

from ..checkpoint import check_match, config_of, read_checkpoint
from ..checkpoint.export import STOCK_LAYOUTS
from ..checkpoint.matching import check_evaluated, part_weights
from ..checkpoint.preparation import check_preparation
from ..datasets.wrapped import dataset_cfgs, is_kind, is_known, kind_of
from ..models import SkeletonViewPreprocessor
from ..models.modules import bare_model
from ..skeleton import SkeletonLayout, get_layout
from ..views import GrowingAugmentation, SkeletonAlign, SkeletonToLayout
from .config_parts import LOADERS, check_sections, get, is_whole, wrong_parts

_MAPPING = TRANSFORMS, SkeletonToLayout
# What has to be there together, as mmengine asks for it.
_TOGETHER = {
    'train': ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    'val': ('val_dataloader', 'val_cfg', 'val_evaluator'),
    'test': ('test_dataloader', 'test_cfg', 'test_evaluator'),
}


def check_config(cfg: Config | Mapping) -> None:
    """Raise a ValueError with a line for each mistake that does not depend on the data.

    Names that nothing knows and settings that a part refuses (:mod:`.config_parts`),
    missing sections, numbers out of range, layouts against each other, schedules against
    the length of the run, SyncBN against the device, and what the classes of model and
    data sets find.
    """
    checks = (
        lambda cfg: wrong_parts(_with_views(cfg)),
        _missing_sections,
        _bad_numbers,
        _bad_layouts,
        _stock_graphs,
        _bad_schedules,
        _bad_sync_bn,
        _checks_of_classes,
    )
    cfg = _as_dict(cfg)
    check_sections(cfg)
    problems: list[str] = []
    for check in checks:
        try:
            problems.extend(check(cfg))
        except Exception:
            if not problems:
                raise
            # It stumbles over what was told: it will be asked again without that.
    problems += _not_a_number(cfg, problems)
    if problems:
        raise ValueError('\n'.join(_each_once(problems)))


def _each_once(problems: Iterable[str]) -> Iterator[str]:
    """One line per mistake, even if several parts report it with the same message."""
    problems = dict.fromkeys(problems)
    places: dict[str, list[str]] = {}
    for problem in problems:
        # Of two about a setting, the one that says more.
        if any(other != problem and other.startswith(problem) for other in problems):
            continue
        place, _, words = problem.partition(': ')
        if not re.fullmatch(r'[\w.]+', place):  # a value belongs to its place
            place, words = '', problem
        places.setdefault(words, []).append(place)
    for words, found in places.items():
        # A part that refuses a setting is reported at the path of that setting.
        found = [p for p in found if not any(q.startswith(f'{p}.') for q in found)]
        yield f'{found[0]}{_more(found)}: {words}' if found[0] else words


def _more(places: Sequence[str]) -> str:
    return f' (and {len(places) - 1} more)' if len(places) > 1 else ''


def _as_dict(cfg: Config | Mapping) -> Mapping:
    # A Config is not a Mapping.
    return cfg.to_dict() if isinstance(cfg, Config) else cfg


def _walk(value: Any, path: str) -> Iterator[tuple[str, Mapping]]:
    """Paths and contents of all dicts in a part of a config."""
    if isinstance(value, Mapping):
        yield path, value
        for key, child in value.items():
            yield from _walk(child, f'{path}.{key}')
    elif isinstance(value, list | tuple):
        for i, child in enumerate(value):
            yield from _walk(child, f'{path}.{i}')


# ---------------------------------------------------------------------------
# The checks; each yields a sentence a problem
# ---------------------------------------------------------------------------


def _with_views(cfg: Mapping) -> Mapping:
    """A config whose model makes the views that the pipeline does, to compare them."""
    preprocessor = get(cfg, 'model.data_preprocessor') or {}
    maker = is_kind(preprocessor, MODELS, SkeletonViewPreprocessor)
    if not maker or preprocessor.get('views') is not None:
        return cfg
    for _, dataset in dataset_cfgs(get(cfg, 'train_dataloader.dataset'), ''):
        for transform in dataset.get('pipeline') or ():
            if is_kind(transform, TRANSFORMS, GrowingAugmentation):
                views = {k: v for k, v in transform.items() if k != 'type'}
                made = dict(preprocessor, views=views)
                return dict(cfg, model=dict(cfg['model'], data_preprocessor=made))
    return cfg


def _missing_sections(cfg: Mapping) -> Iterator[str]:
    if cfg.get('model') is None:
        yield 'model is missing: name the model to build'
    for what, names in _TOGETHER.items():
        missing = [name for name in names if cfg.get(name) is None]
        if missing and len(missing) < len(names):
            yield (
                f'{", ".join(missing)} missing: {what} needs all of '
                f'{", ".join(names)}; add what is missing, or set the others to None'
            )


def _bad_numbers(cfg: Mapping) -> Iterator[str]:
    loader_least = dict(batch_size=1, num_workers=0, prefetch_factor=1)
    least: dict[str, int] = {
        f'{loader}.{name}': low
        for loader in LOADERS
        for name, low in loader_least.items()
    }
    for name in ('max_epochs', 'max_iters', 'val_interval'):
        least[f'train_cfg.{name}'] = 1
    least['optim_wrapper.accumulative_counts'] = 1
    least['auto_scale_lr.base_batch_size'] = 1
    least['randomness.seed'] = 0
    for path, low in least.items():
        value = get(cfg, path)
        if value is not None and not (is_whole(value) and value >= low):
            yield f'{path}={value!r}: give a whole number, {low} or more'
    # A rate of 0 is allowed: it keeps the weights unchanged.
    rate = get(cfg, 'optim_wrapper.optimizer.lr')
    if rate is not None and not (isinstance(rate, Real) and float(rate) >= 0):
        yield f'optim_wrapper.optimizer.lr={rate!r}: give a number, 0 or more'
    norm = get(cfg, 'optim_wrapper.clip_grad.max_norm')
    if norm is not None and not (isinstance(norm, Real) and float(norm) > 0):
        yield f'optim_wrapper.clip_grad.max_norm={norm!r}: give a number above 0'
    level = cfg.get('log_level', 'INFO')
    if isinstance(level, str) and not isinstance(logging.getLevelName(level), int):
        yield f"log_level={level!r}: give one of logging's, such as 'INFO'"


def _bad_layouts(cfg: Mapping) -> Iterator[str]:
    """Layouts whose joints or coordinates differ from most of the config."""
    data = [
        found
        for loader in LOADERS
        for path, dataset in dataset_cfgs(
            get(cfg, f'{loader}.dataset'), f'{loader}.dataset'
        )
        if _keeps_skeleton(dataset)
        for found in _named_layouts(_mapped(dataset), path)
    ]
    yield from _other_sources(cfg)
    layouts: dict[str, SkeletonLayout] = {}
    for path, named in [*data, *_named_layouts(cfg.get('model'), 'model')]:
        try:
            layouts[path] = get_layout(named)
        except ValueError as error:
            yield f'{path}: {error}'
    # Without data, there is nothing to compare the model with.
    for what in ('num_joints', 'coordinates') if data else ():
        places: dict[Any, list[str]] = {}
        for path, layout in layouts.items():
            # A graph has no coordinates.
            if what == 'num_joints' or not path.endswith('graph_cfg.layout'):
                places.setdefault(getattr(layout, what), []).append(path)
        if not places:
            return
        usual, *others = sorted(places, key=lambda value: -len(places[value]))
        sides = [
            f'{found[0]}={layouts[found[0]].name!r}{_more(found)} has {what} {value}'
            for value in (usual, *others)
            for found in [places[value]]
        ]
        yield from (
            f'{side}, but {sides[0]}; name the layout of the data everywhere'
            for side in sides[1:]
        )
        if others:
            return


def _stock_graphs(cfg: Mapping) -> Iterator[str]:
    """Our layouts in a backbone of MMAction2, whose graph knows only its own."""
    for path, part in _walk(cfg.get('model'), 'model'):
        layout = get(part, 'graph_cfg.layout')
        kind = MODELS.get(part['type']) if isinstance(part.get('type'), str) else None
        if layout is None or not getattr(kind, '__module__', '').startswith(
            'mmaction.'
        ):
            continue
        if isinstance(layout, Mapping) and 'num_node' in layout:
            continue
        if layout not in STOCK_LAYOUTS:
            yield (
                f'{path}.graph_cfg.layout={layout!r}: {part["type"]} of MMAction2 knows '
                f'{", ".join(STOCK_LAYOUTS)}, or a dict of num_node, inward and center; '
                'set type to HiCLRSTGCN, which takes every layout'
            )


def _named_layouts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    for place, part in _walk(value, path):
        layout = part.get('layout')
        # MMAction2's own form is not one of our layouts.
        is_graph = isinstance(layout, Mapping) and 'num_node' in layout
        # A layout's `base` is another layout, and not what is used.
        if layout is not None and not is_graph and not place.endswith('.layout'):
            yield f'{place}.layout', layout


def _mapped(dataset: Mapping) -> Mapping:
    """A data set without the transforms before the last mapping to another layout."""
    pipeline = list(dataset.get('pipeline') or ())
    maps = [i for i, t in enumerate(pipeline) if is_kind(t, *_MAPPING)]
    if not maps:
        return dataset
    return dict(pipeline=[{}] * maps[-1] + pipeline[maps[-1] :])


def _other_sources(cfg: Mapping) -> Iterator[str]:
    """Mappings from another skeleton than that of the data set."""
    for loader in LOADERS:
        path = f'{loader}.dataset'
        for place, dataset in dataset_cfgs(get(cfg, path), path):
            maps = [t for t in dataset.get('pipeline') or () if is_kind(t, *_MAPPING)]
            source, layout = (maps or [{}])[0].get('source'), dataset.get('layout')
            if source is not None and layout is not None and source != layout:
                yield (
                    f'{place}: SkeletonToLayout.source={source!r}, but the layout of the '
                    f'data set is {layout!r}; make them equal'
                )


def _keeps_skeleton(dataset: Mapping) -> bool:
    """Whether no transform of another project may make another skeleton of it."""
    return all(is_known(t, TRANSFORMS) for t in dataset.get('pipeline') or ())


def _bad_schedules(cfg: Mapping) -> Iterator[str]:
    """Steps of a schedule that would begin after the end of the run."""
    length = {
        by_epoch: get(cfg, f'train_cfg.{name}')
        for by_epoch, name in ((True, 'max_epochs'), (False, 'max_iters'))
    }
    schedulers = cfg.get('param_scheduler') or ()
    one = isinstance(schedulers, Mapping)
    for i, scheduler in enumerate([schedulers] if one else schedulers):
        by_epoch = bool(scheduler.get('by_epoch', True))
        end = length[by_epoch]
        if not is_whole(end):
            continue
        path = 'param_scheduler' if one else f'param_scheduler.{i}'
        name = 'max_epochs' if by_epoch else 'max_iters'
        for setting in ('milestones', 'begin'):
            value = scheduler.get(setting)
            steps = value if isinstance(value, list | tuple) else [value]
            if any(is_whole(step) and step >= end for step in steps):
                yield (
                    f'{path}.{setting}={value} is never reached: the run ends at '
                    f'train_cfg.{name}={end}; set it below, or train for longer'
                )


def _bad_sync_bn(cfg: Mapping) -> Iterator[str]:
    asked = [
        (f'{path}.type', part['type'])
        for path, part in _walk(cfg.get('model'), 'model')
        if part.get('type') in ('SyncBN', 'MMSyncBN', 'SyncBatchNorm')
    ]
    sync_bn = cfg.get('sync_bn')
    if sync_bn is not None:
        asked.append(('sync_bn', sync_bn))
        if sync_bn not in ('torch', 'mmcv'):
            yield f"sync_bn={sync_bn!r}: give 'torch', or 'mmcv' with a full mmcv"
        if cfg.get('launcher', 'none') == 'none':
            yield (
                f'sync_bn={sync_bn!r} joins the batch norm of several processes, and '
                'this is one: start them with tools/dist_train.sh, or leave sync_bn out'
            )
    for setting, value in asked:
        if get_device() == 'cpu':
            yield (
                f'{setting}={value!r}: synchronised batch norm needs a GPU and none was '
                'found; leave it out, or train on GPUs'
            )


def _checks_of_classes(cfg: Mapping) -> Iterator[str]:
    """Mistakes found by the ``check`` of the classes of model and data sets."""
    parts = [('model', cfg.get('model'), MODELS)]
    for loader in LOADERS:
        path = f'{loader}.dataset'
        parts += [(*found, DATASETS) for found in dataset_cfgs(get(cfg, path), path)]
    for path, part, registry in parts:
        check = getattr(kind_of(part, registry), 'check', None)
        if check is not None:
            yield from (f'{path}: {sentence}' for sentence in check(part, cfg))


def _not_a_number(cfg: Mapping, reported: Sequence[str]) -> Iterator[str]:
    """NaN anywhere, unless a part refused it."""
    for path, value in _leaves(cfg, ''):
        if isinstance(value, float) and math.isnan(value):
            setting = next(n for n in reversed(path.split('.')) if not n.isdigit())
            if not any(f'{setting}=' in line and 'nan' in line for line in reported):
                yield f'{path[1:]}=nan: give a number'


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Paths of all that is not a dict, a list or a tuple."""
    if isinstance(value, list | tuple):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _leaves(child, f'{path}.{name}')
    else:
        yield path, value


# ---------------------------------------------------------------------------
# What was built
# ---------------------------------------------------------------------------


def check_widths(model: nn.Module, cfg: Config | Mapping) -> None:
    """Raise a ValueError if neck or classifier do not fit the backbone's output.

    The backbone runs on an empty clip in the shape of the first :class:`SkeletonAlign` of
    the config; without one nothing is checked.
    """
    inner = bare_model(model)
    shape = _clip_shape(_as_dict(cfg))
    if shape is None or not hasattr(inner, 'backbone'):
        return
    training = inner.training
    device = next(inner.parameters()).device
    with torch.no_grad():
        features = inner.eval().backbone(torch.zeros(1, *shape, device=device))
        if inner.with_neck:
            inner.neck(features)  # which looks at the width itself
    inner.train(training)
    needed = getattr(getattr(inner, 'cls_head', None), 'in_channels', None)
    if features.dim() == 5 and needed not in (None, features.shape[2]):
        raise ValueError(
            f'model.cls_head.in_channels={needed}, but the backbone '
            f'({type(inner.backbone).__name__}) gives {features.shape[2]} channels; make '
            'them equal.'
        )


def _clip_shape(cfg: Mapping) -> tuple[int, int, int, int] | None:
    """``(M, T, V, C)`` of the clips that the first alignment in the config gives."""
    for loader in LOADERS:
        for _, part in _walk(get(cfg, f'{loader}.dataset'), loader):
            if is_kind(part, TRANSFORMS, SkeletonAlign):
                align = TRANSFORMS.build(dict(part))
                joints = get_layout(align.layout).num_joints
                return align.num_person, align.num_frames, joints, 3
    return None


def check_weights(
    model: nn.Module,
    checkpoint: str,
    cfg: Config | Mapping | None = None,
    evaluated: bool = False,
) -> None:
    """Check that a checkpoint has the weights that a model needs.

    ``evaluated``: all parts that make predictions need weights, otherwise only the
    backbone. With ``cfg``, clips must be prepared as for the training of the weights.
    """
    inner = bare_model(model)
    if not evaluated and not hasattr(inner, 'backbone'):
        return
    content = read_checkpoint(checkpoint)
    if cfg is not None:  # first: weights of another skeleton do not match either
        check_preparation(content, _as_dict(cfg), checkpoint)
    state_dict = {
        name.removeprefix('module.'): value
        for name, value in content['state_dict'].items()
    }
    if evaluated:
        check_evaluated(inner, state_dict, checkpoint)
    else:
        weights = part_weights(state_dict, checkpoint)
        check_match(inner.backbone, weights, f'backbone of {checkpoint}')


# ---------------------------------------------------------------------------
# Where it writes
# ---------------------------------------------------------------------------


def check_work_dir(work_dir: str) -> None:
    """Raise a ValueError if a new run would overwrite the checkpoints of another."""
    found = [
        path
        for name in ('epoch_*.pth', 'iter_*.pth', 'best_*.pth')  # of CheckpointHook
        for path in Path(work_dir).glob(name)
    ]
    if found:
        newest = max(found, key=lambda path: path.stat().st_mtime)
        raise ValueError(
            f'work_dir={work_dir} holds the checkpoints of a run ({newest.name} is '
            'the newest), which this one would overwrite: continue that run with '
            '--resume, name another folder with --work-dir, or remove the old one.'
        )


def check_same_experiment(cfg: Config | Mapping, checkpoint: str) -> None:
    """Raise a ValueError if a resumed run has another model or other clips than before.

    Paths, the length of the run and the optimiser may change.
    """
    paths = ('model', 'train_dataloader.dataset')
    sections = [path.partition('.')[0] for path in paths]
    content = read_checkpoint(checkpoint)
    if 'optimizer' not in content:
        raise ValueError(
            f'{checkpoint} holds weights and no run that could be continued; start from '
            'these weights with --cfg-options load_from=... in place of --resume.'
        )
    before = config_of(content, checkpoint, sections)
    cfg = _as_dict(cfg)
    for path in paths:
        changes = list(differences(get(before, path), get(cfg, path), path))
        if changes:
            raise ValueError(
                f'{checkpoint} is of another experiment: {"; ".join(changes[:3])}'
                f'{" and more" if len(changes) > 3 else ""}. Start this one in a folder '
                'of its own (--work-dir), give the settings of the run to continue, or '
                'insist with --resume-changed.'
            )


# Paths of files are not part of the experiment.
PLACES = ('ann_file', 'data_prefix', 'data_root', 'data_path', 'label_path')


def differences(
    before: Any, now: Any, path: str, ignored: Sequence[str] = PLACES
) -> Iterator[str]:
    """Yield what differs between two parts of configs, without the keys ``ignored``."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*before, *now]):
            if key not in ignored:
                yield from differences(
                    before.get(key), now.get(key), f'{path}.{key}', ignored
                )
    elif isinstance(before, list | tuple) and isinstance(now, list | tuple):
        if len(before) != len(now):
            yield f'{path} had {len(before)} entries and has {len(now)}'
        for i, (old, new) in enumerate(zip(before, now, strict=False)):
            yield from differences(old, new, f'{path}.{i}', ignored)
    elif before != now:
        yield f'{path} was {before!r} and is {now!r}'
