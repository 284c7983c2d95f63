"""The parts of a config: unknown names, and settings that a part refuses.

mmengine reports a wrong name only when it builds the part, by a TypeError from inside of
it, and never reports a wrong top-level name. It stops at the first part that refuses a
setting, and a constructor at its first mistake.
"""

from __future__ import annotations

import copy
import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Number, Real
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from mmaction.models import AAGCN, STGCN
from mmaction.registry import (
    DATA_SAMPLERS,
    DATASETS,
    EVALUATOR,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODEL_WRAPPERS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
)
from mmengine.dataset import BaseDataset
from mmengine.registry import FUNCTIONS, WEIGHT_INITIALIZERS, DefaultScope, Registry
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch.utils.data import DataLoader

from ..datasets.randomness import draws_taken_back

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# The sections that are parts or lists of parts, and where these are looked up.
_SECTIONS: dict[str, Registry] = {
    'model': MODELS,
    'optim_wrapper': OPTIM_WRAPPERS,
    'param_scheduler': PARAM_SCHEDULERS,
    'train_cfg': LOOPS,
    'val_cfg': LOOPS,
    'test_cfg': LOOPS,
    'val_evaluator': METRICS,
    'test_evaluator': METRICS,
    'custom_hooks': HOOKS,
    'model_wrapper_cfg': MODEL_WRAPPERS,
    'log_processor': LOG_PROCESSORS,
    'visualizer': VISUALIZERS,
}
_MANY = dict | list[dict] | None
# What is to be of a type before anything looks into it; None is a section left out.
_TYPES: dict[str, Any] = {
    **dict.fromkeys(
        (*_SECTIONS, *LOADERS, 'default_hooks', 'auto_scale_lr'), dict | None
    ),
    **dict.fromkeys(('param_scheduler', 'val_evaluator', 'test_evaluator'), _MANY),
    'custom_hooks': list[dict] | None,
    'randomness': dict,
    'env_cfg': dict,
    'env_cfg.mp_cfg': dict,
    'env_cfg.dist_cfg': dict,
    'model.cls_head': dict | None,
    'optim_wrapper.clip_grad': dict | None,
    **dict.fromkeys((f'{loader}.dataset' for loader in LOADERS), dict | None),
}
# Parts within parts. One under another name is looked up where the part around it was,
# and may well be no part at all.
_SLOTS: dict[str, Registry] = {
    'backbone': MODELS,
    'neck': MODELS,
    'head': MODELS,
    'cls_head': MODELS,
    'data_preprocessor': MODELS,
    'loss_cls': MODELS,
    'dataset': DATASETS,
    'datasets': DATASETS,
    'pipeline': TRANSFORMS,
    'views': TRANSFORMS,
    'optimizer': OPTIMIZERS,
    'metrics': METRICS,
    'init_cfg': WEIGHT_INITIALIZERS,
    'vis_backends': VISBACKENDS,
}
_LOADER_SLOTS: dict[str, Registry] = {
    'dataset': DATASETS,
    'sampler': DATA_SAMPLERS,
    'batch_sampler': DATA_SAMPLERS,
    'collate_fn': FUNCTIONS,
    'worker_init_fn': FUNCTIONS,
}
# The settings of the sections that are no parts.
_NAMES: dict[str, Sequence[str]] = {
    'randomness': [*inspect.signature(Runner.set_randomness).parameters][1:],
    'env_cfg': ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'),
    'env_cfg.mp_cfg': [*inspect.signature(set_multi_processing).parameters],
    'auto_scale_lr': ('base_batch_size', 'enable'),
}
# What mmengine takes out of a part before it builds it.
_TAKEN_OUT: dict[Registry, tuple[str, ...]] = {
    HOOKS: ('priority',),
    LOOPS: ('by_epoch',),
    OPTIM_WRAPPERS: ('paramwise_cfg',),
    PARAM_SCHEDULERS: ('convert_to_iter_based', 'epoch_length'),
    VISBACKENDS: ('name',),
    WEIGHT_INITIALIZERS: ('override',),
}
# The type of a part that names none, as mmengine chooses it.
_DEFAULT_TYPES = {
    'optim_wrapper': 'OptimWrapper',
    'val_cfg': 'ValLoop',
    'test_cfg': 'TestLoop',
    'log_processor': 'LogProcessor',
    'model_wrapper_cfg': 'MMDistributedDataParallel',
    'visualizer': 'Visualizer',
}
# Parts that are cheap to construct, and change nothing when they are.
_CONSTRUCTED = (MODELS, TRANSFORMS, HOOKS, METRICS, DATASETS)
_LISTS = (list, tuple, Sequence)
# One of a type, and many, in messages.
_WORDS = {
    bool: ('True or False', 'True or False'),
    int: ('a whole number', 'whole numbers'),
    float: ('a number', 'numbers'),
    str: ('a text', 'texts'),
    dict: ('a dict', 'dicts'),
}
# Sections that Runner.__init__ does not name but reads.
_MORE_SECTIONS = (
    'compile', 'custom_imports', 'efficient_conv_bn_eval', 'find_unused_parameters',
    'model_wrapper_cfg', 'runner_type', 'sync_bn',
)  # fmt: skip


def known_sections() -> list[str]:
    """The top-level settings of a runner."""
    return [*list(inspect.signature(Runner.__init__).parameters)[1:], *_MORE_SECTIONS]


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name closest to `name`, if any is close."""
    return next(iter(difflib.get_close_matches(name, known, 1, cutoff)), None)


def check_sections(cfg: Mapping) -> None:
    """Raise a ValueError if sections are of a wrong type, or what is read within them."""
    wrong = []
    for path, hint in _TYPES.items():
        owner, _, name = path.rpartition('.')
        inside = get(cfg, owner) if owner else cfg
        if (
            isinstance(inside, Mapping)
            and name in inside
            and not _fits(inside[name], hint)
        ):
            wrong.append(f'{path}={inside[name]!r:.80}: give {_in_words(hint)}')
    if wrong:
        raise ValueError('\n'.join(wrong))


def get(cfg: Any, path: str) -> Any:
    """The value at a path of a config; None if there is none."""
    for name in path.split('.'):
        cfg = cfg.get(name) if isinstance(cfg, Mapping) else None
    return cfg


def wrong_parts(cfg: Mapping) -> Iterator[str]:
    """Yield a sentence for each unknown name and each setting that a part refuses.

    If a class takes any keyword, only keywords that resemble one of its named ones are
    reported.
    """
    yield from _misspelt_sections(cfg)
    for path, known in _NAMES.items():
        yield from _unknown_settings(get(cfg, path) or {}, path, known, path)
    if 'seed' not in cfg.get('randomness', ['seed']):
        yield 'randomness.seed is missing; give a number, or None to draw one'
    for name in LOADERS:
        if cfg.get(name) is not None:
            yield from _loader(cfg[name], name)
    for name, hook in (cfg.get('default_hooks') or {}).items():
        yield from _plain(hook, f'default_hooks.{name}')
        yield from _part(hook, f'default_hooks.{name}', HOOKS, strict=True)
    optim_wrapper = cfg.get('optim_wrapper')
    own = 'constructor' in (optim_wrapper or {})
    if not own and optim_wrapper is not None and optim_wrapper.get('optimizer') is None:
        yield 'optim_wrapper.optimizer is missing'
    for name, registry in _SECTIONS.items():
        # A constructor of optimizers reads its settings as it likes.
        if own and name in ('optim_wrapper', 'param_scheduler'):
            continue
        yield from _part(cfg.get(name), name, registry, strict=True)


def _misspelt_sections(cfg: Mapping) -> Iterator[str]:
    """Top-level variables are allowed unless their name resembles a section."""
    known = known_sections()
    for name in cfg:
        near = nearest(name, known, cutoff=0.85)
        if name not in known and near and _is_misspelling(name, near):
            yield f'{name} is not read by anything; did you mean {near}?'


def _is_misspelling(name: str, near: str) -> bool:
    """Whether it is not just a longer name (train_dataloader_cfg) or a second (model2)."""
    return name.count('_') == near.count('_') and not re.fullmatch(
        rf'{near}\d+|{near}s', name
    )


def _loader(cfg: Mapping, path: str) -> Iterator[str]:
    known = [*list(inspect.signature(DataLoader.__init__).parameters)[1:]]
    known += ['num_batch_per_epoch', 'disable_subprocess_warning']
    yield from _unknown_settings(cfg, path, known, 'a data loader')
    # Without a sampler clips come in their order, which does for an evaluation.
    ordered = path != 'train_dataloader' or cfg.keys() & {'shuffle', 'batch_sampler'}
    for name, needed in dict(dataset=True, sampler=not ordered).items():
        if name not in cfg or needed and cfg[name] is None:
            yield f'{path}.{name} is missing'
    for name, registry in _LOADER_SLOTS.items():
        yield from _plain(cfg.get(name), f'{path}.{name}')
        yield from _part(cfg.get(name), f'{path}.{name}', registry, strict=True)


def _part(value: Any, path: str, registry: Registry, strict: bool) -> Iterator[str]:
    """Check what is, or holds, parts of a registry; ``strict``: a dict must be a part."""
    if isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _part(item, f'{path}.{i}', registry, strict)
        return
    if not isinstance(value, Mapping) or path.endswith('.paramwise_cfg'):
        return
    kind = value.get('type', _default_type(path, value))
    if kind is None:
        if strict:
            yield f"{path} has no type; it needs type='...', a name of {registry.name}"
        yield from _children(value, path, registry)
        return
    if not isinstance(kind, str) and not callable(kind):
        yield f'{path}.type={kind!r} is neither a name nor a class; give one'
        return
    if registry is METRICS and isinstance(kind, str) and METRICS.get(kind) is None:
        registry = METRICS if EVALUATOR.get(kind) is None else EVALUATOR
    target = registry.get(kind) if isinstance(kind, str) else kind
    wrong = []
    if target is not None:
        wrong = [*_settings(value, path, registry, target, strict)]
        wrong += _mistyped(value, path, target)
        yield from wrong
    # A name with a dot is another package's, which mmengine imports when it builds it.
    elif strict and '.' not in kind:
        near = nearest(kind, _registered(registry))
        hint = (
            f'did you mean {near!r}?' if near else 'name its module in custom_imports'
        )
        yield f'{path}.type={kind!r} is not registered in {registry.name}; {hint}'
    inside = [*_children(value, path, registry, target)]
    yield from inside
    yield from _refused(value, path, registry, target, [*wrong, *inside])


def _plain(value: Any, path: str) -> Iterator[str]:
    """Numbers and texts in place of parts; objects are left alone."""
    for i, item in enumerate(value if isinstance(value, list | tuple) else ()):
        yield from _plain(item, f'{path}.{i}')
    if isinstance(value, str | Number):
        yield f'{path}={value!r:.80}: give a dict'


def _default_type(path: str, value: Mapping) -> str | None:
    if path == 'train_cfg':
        by_epoch = value.get('by_epoch', True)
        return 'EpochBasedTrainLoop' if by_epoch else 'IterBasedTrainLoop'
    return _DEFAULT_TYPES.get(path)


def _settings(
    value: Mapping, path: str, registry: Registry, target: Any, strict: bool
) -> Iterator[str]:
    parameters, is_open = _accepted(target)
    known = [*parameters, *_TAKEN_OUT.get(registry, ())]
    label = getattr(target, '__name__', str(target))
    # Unknown: what the enclosing part takes out of another dict with a type.
    is_open = is_open or not strict
    yield from _unknown_settings(value, path, known, label, is_open, _prefixes(target))
    # Nor what it adds, but for the parts that are ours.
    if registry in (MODELS, DATASETS, TRANSFORMS) and _is_of(target, 'hiclr_mmaction'):
        for name in _required(target):
            if name not in value:
                yield f'{path}.{name} is missing; {label} needs it'


def _unknown_settings(
    value: Mapping,
    path: str,
    known: Sequence[str],
    label: str,
    is_open: bool = False,
    prefixes: tuple[str, ...] = (),
) -> Iterator[str]:
    for name in value:
        if name in known or name in ('type', '_scope_') or name.startswith(prefixes):
            continue
        near = nearest(name, known, cutoff=0.85 if is_open else 0.6)
        if near:
            yield f'{path}.{name} is not a setting of {label}; did you mean {near}?'
        elif not is_open:
            have = f'it has {", ".join(known)}' if known else 'it has none'
            yield f'{path}.{name} is not a setting of {label}; {have}'


def _children(
    value: Mapping, path: str, registry: Registry, owner: Any = None
) -> Iterator[str]:
    arguments, hints = _arguments(owner), _hints(owner)
    known = _is_of(owner, 'hiclr_mmaction', 'mmaction', 'mmengine')
    for name, child in value.items():
        slot, inner = _SLOTS.get(name), f'{path}.{name}'
        parts = registry if slot is None else slot
        if name in arguments and isinstance(child, Mapping) and 'type' not in child:
            wrong = [
                *_unknown_settings(
                    child, inner, list(_accepted(arguments[name])[0]), name
                ),
                *_mistyped(child, inner, arguments[name]),
                *_children(child, inner, parts),
            ]
            yield from wrong
            make = arguments[name]
            make = getattr(make, 'check_settings', make)
            yield from _errors_of(make, child, path, wrong)
        else:
            # What is annotated was told, and others' names may mean something else.
            if slot is not None and known and hints.get(name, Any) is Any:
                yield from _plain(child, inner)
            strict = slot is not None or name == 'levels' and registry is TRANSFORMS
            yield from _part(child, inner, parts, strict)


def _hints(target: Any) -> dict[str, Any]:
    """The annotations of the settings of a class or function, where these are ours."""
    hints: dict[str, Any] = {}
    for function, parameters in () if target is None else _constructors(target):
        ours = _is_of(function, 'hiclr_mmaction')
        found = get_type_hints(function, include_extras=True) if ours else {}
        for p in parameters:
            hints.setdefault(p.name, found.get(p.name, Any))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return hints


def _arguments(owner: Any) -> dict[str, Callable]:
    """What is built of dicts that a class takes: ``name: Annotated[dict, CLASS]``."""
    return {
        name: option.__metadata__[0]
        for name, hint in _hints(owner).items()
        for option in (hint, *get_args(hint))
        if get_origin(option) is Annotated
    }


def _mistyped(value: Mapping, path: str, target: Any) -> Iterator[str]:
    """Settings that are of another type than the constructor's annotation."""
    for name, hint in _hints(target).items():
        if name in value and not _fits(value[name], hint):
            yield f'{path}.{name}={value[name]!r:.80}: give {_in_words(hint)}'


def is_whole(value: Any) -> bool:
    """Whether a value is an integer, of Python or of numpy."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type, as configs write it."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, option) for option in inner)
    if kind is Annotated:
        return _fits(value, inner[0])
    if kind is Any:  # from Python 3.11 on a class
        return True
    if kind is int:
        return is_whole(value)
    if kind is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if kind is dict:
        return isinstance(value, Mapping)
    if kind in _LISTS:
        if not isinstance(value, list | tuple):
            return False
        if kind is tuple and ... not in inner:
            return len(value) == len(inner) and all(map(_fits, value, inner))
        return not inner or all(_fits(item, inner[0]) for item in value)
    return not isinstance(kind, type) or isinstance(value, kind)


def _in_words(hint: Any, many: bool = False) -> str:
    """An annotated type in words: one of it, or many."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        # Configs hold no objects.
        known = (*_WORDS, *_LISTS, Annotated)
        options = [o for o in inner if (get_origin(o) or o) in known] or inner
        return ' or '.join(_in_words(option, many) for option in options)
    if kind is Annotated:
        return _in_words(inner[0], many)
    if kind in _LISTS:
        size = f'{len(inner)} ' if kind is tuple and ... not in inner else ''
        items = f' of {size}{_in_words(inner[0], True)}' if inner else ''
        return ('lists' if many else 'a list') + items
    return _WORDS.get(kind, (f'a {kind.__name__}', f'{kind.__name__}s'))[many]


def _refused(
    value: Mapping, path: str, registry: Registry, target: Any, reported: list[str]
) -> Iterator[str]:
    """Errors of the constructor of a part that is ours or derives from our classes."""
    bases = getattr(target, '__mro__', ())
    if registry not in _CONSTRUCTED or not any(
        _is_of(base, 'hiclr_mmaction') for base in bases
    ):
        return
    taken_out = ('type', '_scope_', *_TAKEN_OUT.get(registry, ()))
    settings = {k: v for k, v in value.items() if k not in taken_out}
    if registry is DATASETS:
        if not issubclass(target, BaseDataset):  # it opens the one that it wraps
            return
        settings['lazy_init'] = True
    yield from _errors_of(target, settings, path, reported)


def _errors_of(
    make: Callable, settings: Mapping, path: str, reported: list[str]
) -> Iterator[str]:
    """What a constructor refuses, unless a part within told it.

    Settings that were told are left out, so that the next mistake is found. What follows
    from their absence is not told: a mistake that names one of them, or an error that
    constructors do not raise on purpose.
    """
    dropped = {name for sentence in reported for name in _names(sentence)}
    rest = _without(settings, dropped)
    while error := _error_of(make, rest):
        names = _names(str(error))
        mentioned = {*re.findall(r'\w+', str(error))}
        if isinstance(error, ValueError | ImportError):
            known = any(str(error) in sentence for sentence in reported)
            if not known and not mentioned & dropped:
                yield f'{path}: {error}'
        elif not reported and not dropped:
            given = ', '.join(
                f'{name}={"..." if isinstance(v, Mapping | list | tuple) else repr(v)}'
                for name, v in rest.items()
            )
            label = getattr(make, '__qualname__', str(make))
            words = f'{type(error).__name__}: {error}'
            yield f'{path}: {label}({given:.200}) raises {words}'
        if _without(rest, names) == rest:
            names, part = _culprit(make, rest, error)
            dropped |= part
        if not names:
            return
        dropped |= names
        rest = _without(rest, names)


def _culprit(
    make: Callable, settings: Mapping, error: Exception
) -> tuple[set[str], set[str]]:
    """A setting without which an error is not raised, and the part that it is in."""
    for name, value in settings.items():
        inner = [*value] if isinstance(value, Mapping) else []
        for names, part in [*(({one}, {name}) for one in inner), ({name}, set())]:
            other = _error_of(make, _without(settings, names))
            if (
                other is None
                or isinstance(other, ValueError)
                and str(other) != str(error)
            ):
                return names, part
    return set(), set()


def _error_of(make: Callable, settings: Mapping) -> Exception | None:
    scope = DefaultScope.overwrite_default_scope('mmaction')
    try:
        with draws_taken_back(), scope:
            make(**copy.deepcopy(dict(settings)))
    except Exception as error:
        return error
    return None


def _names(sentence: str) -> set[str]:
    """The settings that a message names: all with a value, and the one at its begin."""
    sentence = re.sub(r'\w+\(.*\) raises .*', '', sentence)  # which lists all
    names = {*re.findall(r'(\w+)=', sentence), *re.findall(r'^[\w.]*?(\w+) ', sentence)}
    return names - {'type'}


def _without(value: Any, names: set[str]) -> Any:
    """Settings without those of some names, at any depth."""
    if isinstance(value, Mapping):
        return {k: _without(v, names) for k, v in value.items() if k not in names}
    if isinstance(value, list | tuple):
        return type(value)(_without(item, names) for item in value)
    return value


def _accepted(target: Any) -> tuple[dict[str, inspect.Parameter], bool]:
    """Keywords that a class or function takes, and whether it takes others too.

    What a class takes as ``**kwargs`` its bases take, in the packages that we know; of
    a class of another package they are unknown.
    """
    found: dict[str, inspect.Parameter] = {}
    for function, parameters in _constructors(target):
        for p in parameters:
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
                found.setdefault(p.name, p)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return found, False
        if not _is_of(function, 'hiclr_mmaction', 'mmaction', 'mmengine', 'mmcv'):
            break
    return found, True


def _required(target: Any) -> list[str]:
    """Settings without a default; of the bases too, as long as ``*args`` reach them."""
    found: dict[str, bool] = {}
    for _, parameters in _constructors(target):
        for p in parameters:
            if p.kind is p.POSITIONAL_OR_KEYWORD:
                found.setdefault(p.name, p.default is p.empty)
        if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            break
    return [name for name, required in found.items() if required]


def _constructors(
    target: Any,
) -> Iterator[tuple[Callable, list[inspect.Parameter]]]:
    """A function, or the constructors of a class and its bases, with parameters."""
    if not inspect.isclass(target):
        yield target, [*inspect.signature(target).parameters.values()]
        return
    for base in target.__mro__[:-1]:
        function = vars(base).get('__init__')
        if function is not None:
            yield function, [*inspect.signature(function).parameters.values()][1:]


def _prefixes(target: Any) -> tuple[str, ...]:
    """Beginnings of the names that a GCN of MMAction2 hands to its blocks."""
    is_gcn = inspect.isclass(target) and issubclass(target, STGCN | AAGCN)
    return ('gcn_', 'tcn_') if is_gcn else ()


def _is_of(target: Any, *packages: str) -> bool:
    return getattr(target, '__module__', '').partition('.')[0] in packages


def _registered(registry: Registry | None) -> list[str]:
    """Names in a registry and those around it."""
    names: list[str] = []
    while registry is not None:
        names.extend(registry.module_dict)
        registry = registry.parent
    return names
