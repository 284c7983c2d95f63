"""Top-level data settings that apply to the whole config.

MMEngine does not evaluate a config again: what a base has made of its own `layout` stays
when a child config, or an option, sets another. :func:`follow` puts the new value there.
"""

import ast
import copy
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmaction.registry import MODELS
from mmengine.config import Config

from ..annotations.clip_checks import array_shape, pose_content, sample_label
from ..annotations.safe_pickle import load_pickle
from ..datasets.wrapped import dataset_cfgs, kind_of

DATA_SETTINGS = ('ann_file', 'layout', 'num_person', 'num_classes', 'fraction')


def follow(cfg: Config, former: Mapping[str, Iterable[Any]]) -> None:
    """Set the top-level data settings wherever a part holds a former value of them.

    ``former`` are the values that each had in a base of the config, or before an option
    changed it.
    """
    for name, values in former.items():
        stale = [value for value in values if name in cfg and value != cfg[name]]
        for part in _parts(cfg.values()) if stale else ():
            if name in part and part[name] in stale:
                part[name] = copy.deepcopy(cfg[name])


def fill_from_file(cfg: Config) -> None:
    """Set the settings that are None to what the config's `ann_file` says.

    With the number of training clips n the pre-training is 40 sqrt(n) iterations long,
    rounded up to whole epochs, and a learner sets its own sizes
    (:meth:`SkeletonLearner.fill`).

    Raises a FileNotFoundError if there is no such file, a ValueError if it cannot be read
    or does not say its layout.
    """
    names = [name for name in DATA_SETTINGS if name in cfg and cfg[name] is None]
    file = Path(cfg.get('ann_file') or '')
    if not names and not _is_open(cfg):
        return
    if not file.is_file():
        raise FileNotFoundError(
            f'ann_file={str(file)!r} does not exist (looked in {Path.cwd()}); put the pose '
            'pickle there, or set ann_file to where it is.'
        )
    annotations, splits, head = pose_content(load_pickle(file), str(file))
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
    if _is_open(cfg):
        _, dataset = next(dataset_cfgs(cfg.train_dataloader.dataset, ''))
        trained_on = splits.get(str(dataset.get('split')))
        _fill_sizes(cfg, len(annotations if trained_on is None else trained_on))


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


def _is_open(cfg: Config) -> bool:
    """Whether a size is None that follows from the number of clips."""
    learner = kind_of(cfg.get('model'), MODELS)
    sizes = {
        'train_cfg': ('max_epochs', 'val_interval'),
        'model': getattr(learner, 'sizes_from_data', ()),
    }
    return any(
        (cfg.get(part) or {}).get(name, 0) is None
        for part, names in sizes.items()
        for name in names
    )


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
    sections = (value for key, value in cfg.items() if key != name)
    return any(name in part and part[name] == cfg[name] for part in _parts(sections))


def _parts(values: Iterable[Any]) -> Iterator[dict]:
    """All dicts in some values, and in one another."""
    for value in values:
        if isinstance(value, dict):
            yield value
            yield from _parts(value.values())
        elif isinstance(value, list | tuple):
            yield from _parts(value)


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
