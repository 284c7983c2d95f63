"""Top-level data settings that apply to the whole config.

MMEngine does not evaluate a config again: what a base has made of its own `layout` stays
when a child config, or an option, sets another. :func:`follow` puts the new value there.
"""

import ast
import copy
import functools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config

from ..annotations.clip_checks import (
    array_shape,
    counterparts,
    pose_content,
    sample_label,
)
from ..annotations.safe_pickle import load_pickle
from ..datasets.skeleton_dataset import missing_file
from ..datasets.wrapped import dataset_cfgs, is_kind, kind_of
from ..views import PackSkeletonViews, SkeletonToLayout

DATA_SETTINGS = ('ann_file', 'layout', 'num_person', 'num_classes', 'fraction', 'sets')


def follow(cfg: Config, former: Mapping[str, Iterable[Any]]) -> None:
    """Set the top-level data settings wherever a part holds a former value of them.

    ``former`` are the values that each had in a base of the config, or before an option
    changed it.
    """
    for name, values in former.items():
        stale = [value for value in values if name in cfg and value != cfg[name]]
        for part in _parts(cfg) if stale else ():
            if name in part and part[name] in stale:
                part[name] = copy.deepcopy(cfg[name])


def fill_from_file(cfg: Config) -> None:
    """Set the settings that are None to what the config's `ann_file` says.

    A config may have `sets` in its place: a list of files, or of dicts of ``ann_file``,
    ``layout``, ``split`` (``'xsub'``: ``xsub_train`` and ``xsub_val``) and ``name``. A part
    of the data with `sets` becomes one of each set, or outside of a list the last set's.

    With the number of training clips n the pre-training is 40 sqrt(n) iterations long,
    rounded up to whole epochs, and a learner sets its own sizes
    (:meth:`SkeletonLearner.fill`).

    Raises a FileNotFoundError if there is no such file, a ValueError if it cannot be read
    or does not say its layout.
    """
    setting, read = 'ann_file', functools.cache(_read)
    file = cfg.get('ann_file') or ''
    if cfg.get('sets'):
        _expand_sets(cfg, read)
        setting, file = 'sets', cfg.sets[-1]['ann_file']
    names = [name for name in DATA_SETTINGS if name in cfg and cfg[name] is None]
    sizes = _open_sizes(cfg)
    if not names and not sizes:
        return
    if sizes and 'ann_file' not in cfg and not file:
        raise ValueError(
            f'{", ".join(sizes)}=None: computed from the number of clips in ann_file, '
            'which this config does not have; give a number.'
        )
    annotations, _, head = read(file, setting)
    if 'layout' in names and head.get('layout') is None:
        raise ValueError(
            f'{file} does not say its skeleton: set layout, to a name such as kinect20 or '
            'to a dict'
        )
    two = sum(array_shape(clip.get('keypoint'))[:1] > (1,) for clip in annotations)
    labels = [
        label for clip in annotations if (label := sample_label(clip)) is not None
    ]
    said = dict(
        layout=head.get('layout'),
        # A second person in a few clips is somebody who passed by.
        num_person=2 if two > len(annotations) / 10 else 1,
        num_classes=len(head['classes']) or 1 + max(labels, default=0),
    )
    for name in names:
        cfg[name] = said[name]
    follow(cfg, {name: [None] for name in names})
    if sizes:
        num_clips = 0
        for _, dataset in dataset_cfgs(cfg.train_dataloader.dataset, ''):
            annotations, splits, _ = read(dataset.get('ann_file', file), setting)
            num_clips += len(splits.get(str(dataset.get('split')), annotations))
        _fill_sizes(cfg, num_clips)


def _read(file: str, setting: str) -> tuple[list[dict], dict[str, list[str]], dict]:
    if not Path(file).is_file():
        raise missing_file(file, setting)
    return pose_content(load_pickle(file), str(file))


def _expand_sets(cfg: Config, read: Callable) -> None:
    """Replace the parts of the data that have `sets`."""
    given = [cfg.sets] if isinstance(cfg.sets, str) else cfg.sets
    sets = [_whole_set(one, read) for one in given]
    if len({one['name'] for one in sets}) < len(sets):
        names = ', '.join(one['name'] for one in sets)
        raise ValueError(
            f'sets: {names} are not different; give each a name of its own.'
        )
    cfg.sets = sets
    for part in list(_parts(cfg)):
        for key, value in part.items():
            if isinstance(value, list) and any(map(_has_sets, value)):
                part[key] = [_of_set(v, one) for one in sets for v in value]
            elif _has_sets(value):
                part[key] = _of_set(value, sets[-1])


def _has_sets(part: Any) -> bool:
    return isinstance(part, dict) and 'sets' in part


def _whole_set(given: Any, read: Callable) -> dict[str, str]:
    """A set with its name, file, layout and protocol."""
    one = dict(ann_file=given) if isinstance(given, str) else dict(given)
    unknown = sorted(set(one) - {'ann_file', 'layout', 'split', 'name'})
    if unknown or not one.get('ann_file'):
        raise ValueError(
            f'sets: {given!r} is neither a file nor a dict of ann_file and perhaps '
            'layout, split and name.'
        )
    file = one['ann_file']
    one.setdefault('name', Path(file).stem)
    if one.get('layout') is None:
        one['layout'] = read(file, 'sets')[2].get('layout')
        if one['layout'] is None:
            raise ValueError(
                f'sets: {file} does not say its skeleton: give dict(ann_file={file!r}, '
                "layout=...), with a name such as 'kinect20' or a dict."
            )
    if one.get('split') is None:
        pairs = counterparts(read(file, 'sets')[1])
        known = [a.removesuffix('_train') for a, b in pairs if b.endswith('_val')]
        if len(known) != 1:
            raise ValueError(
                f'sets: {file} has {len(known)} protocols ({", ".join(known)}): give '
                f"dict(ann_file={file!r}, split=...), such as 'xsub' for xsub_train and "
                'xsub_val.'
            )
        one['split'] = known[0]
    return one


def _of_set(template: Mapping[str, Any], one: Mapping[str, str]) -> dict[str, Any]:
    """A part of the data with the file, layout and split of a set."""
    part = copy.deepcopy(dict(template))
    del part['sets']
    split = f'{one["split"]}_{part["split"]}'
    part.update(ann_file=one['ann_file'], layout=one['layout'], split=split)
    for transform in part['pipeline']:
        if is_kind(transform, TRANSFORMS, SkeletonToLayout):
            transform.setdefault('source', one['layout'])
        if is_kind(transform, TRANSFORMS, PackSkeletonViews):
            transform.setdefault('set_name', one['name'])
    return part


def only_top1_of_few_classes(cfg: Config) -> None:
    """Leave out the top-5 accuracy if there are at most five classes: it is always 1."""
    classes = ((cfg.get('model') or {}).get('cls_head') or {}).get('num_classes')
    if not isinstance(classes, int) or classes > 5:
        return
    for name in ('val_evaluator', 'test_evaluator'):
        metrics = cfg.get(name) or ()
        for metric in metrics if isinstance(metrics, list | tuple) else [metrics]:
            if metric.get('type') == 'AccMetric':
                top1 = dict(top_k_accuracy=dict(topk=(1,)))
                metric.setdefault('metric_options', top1)


def _open_sizes(cfg: Config) -> list[str]:
    """The sizes that are None and follow from the number of clips."""
    learner = kind_of(cfg.get('model'), MODELS)
    sizes = {
        'train_cfg': ('max_epochs', 'val_interval'),
        'model': getattr(learner, 'sizes_from_data', ()),
    }
    return [
        f'{part}.{name}'
        for part, names in sizes.items()
        for name in names
        if (cfg.get(part) or {}).get(name, 0) is None
    ]


def _fill_sizes(cfg: Config, num_clips: int) -> None:
    """Set what follows from the number of training clips."""
    batch = cfg.train_dataloader.batch_size
    if cfg.train_cfg.get('max_epochs', 1) is None:
        steps = 40 * num_clips**0.5
        cfg.train_cfg.max_epochs = math.ceil(steps / max(1, num_clips // batch))
    if cfg.train_cfg.get('val_interval', 1) is None:
        cfg.train_cfg.val_interval = math.ceil(cfg.train_cfg.max_epochs / 10)
    learner = MODELS.get(cfg.model.type)
    if hasattr(learner, 'fill'):
        learner.fill(cfg.model, num_clips, batch)


def former_values(path: Path) -> dict[str, list[Any]]:
    """The values of the data settings in a config file and the files it is based on."""
    found: dict[str, list[Any]] = {name: [] for name in DATA_SETTINGS}
    for file in _chain(path):
        text = file.read_text(encoding='utf-8')
        if re.search(rf'^({"|".join(DATA_SETTINGS)})\s*=', text, re.MULTILINE):
            cfg = Config.fromfile(file, import_custom_modules=False)
            for name in DATA_SETTINGS:
                if name in cfg and cfg[name] not in found[name]:
                    found[name].append(cfg[name])
    return found


def settings_without_effect(path: Path, cfg: Config, known: Iterable[str]) -> list[str]:
    """Top-level names that a config file sets, and that nothing reads.

    A file that is based on no other is left alone; ``known`` are MMEngine's sections.
    """
    if path.suffix != '.py' or not _bases(path):
        return []
    tree = ast.parse(path.read_text(encoding='utf-8'))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    read |= {'_base_', 'protocols', 'num_classes', *known}
    return [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
        and target.id not in read
        and not (target.id in DATA_SETTINGS and is_used(cfg, target.id))
    ]


def is_used(cfg: Config, name: str) -> bool:
    """Whether a part of the config has the value of the top-level setting."""
    sections = {key: value for key, value in cfg.items() if key != name}
    return any(name in part and part[name] == cfg[name] for part in _parts(sections))


def _parts(cfg: Mapping[str, Any]) -> Iterator[dict]:
    """All dicts within a config and within one another, but for those of `sets`."""
    values = [value for key, value in cfg.items() if key != 'sets']
    while values:
        value = values.pop(0)
        if isinstance(value, dict):
            yield value
            values += [v for key, v in value.items() if key != 'sets']
        elif isinstance(value, list | tuple):
            values += value


def _chain(path: Path) -> Iterator[Path]:
    """A config file and all that it is based on."""
    yield path
    for base in _bases(path):
        # Those of other packages have no data of ours.
        if '::' not in base and '{{' not in base and (path.parent / base).is_file():
            yield from _chain(path.parent / base)


def _bases(path: Path) -> list[str]:
    if path.suffix != '.py':
        return []
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        match node:
            case ast.Assign(targets=[ast.Name(id='_base_')], value=value):
                bases = ast.literal_eval(value)
                return [bases] if isinstance(bases, str) else list(bases)
    return []
