"""Common parts of `train.py` and `test.py`."""

import argparse
import os
import os.path as osp
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmaction.registry import RUNNERS
from mmengine.config import Config, ConfigDict
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from ..compat import prepare_cpu_launch
from ..datasets.wrapped import dataset_cfgs
from ..engine import ConsoleHook
from ..engine.config_check import check_config, check_weights, check_widths
from ..engine.config_parts import check_sections, get, known_sections, nearest
from ..engine.console import FILE_ONLY, quieten
from ..evaluation.data_settings import (
    DATA_SETTINGS,
    fill_from_file,
    follow,
    is_used,
    only_top1_of_few_classes,
    settings_without_effect,
)
from ..evaluation.protocol import find_config, read_config
from ..zoo import ZOO, find_weights
from .failures import explain
from .values import ConfigOptions

_NO_EFFECT = (
    'no section of the config reads it. Set the section itself, such as '
    'train_dataloader.dataset.pipeline'
)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that both programs take."""
    parser.add_argument(
        '--work-dir',
        help='folder for logs, checkpoints and results; default: the work_dir of the '
        'config, or else ./work_dirs/<name of the config>',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='settings of the config to replace, such as '
        'model.queue_size=256 "model.mining=dict(topk=1)"; a list is written key=a,b or '
        'key="[a,b]". They override the config and every other option',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes of a distributed run (default: none)',
    )
    # torch.distributed.launch passes it; torchrun sets LOCAL_RANK instead.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )


def load_config(path: str) -> Config:
    """Read a config, or end the program with a line that names it."""
    # mmengine logs each environment variable that a config reads.
    MMLogger.get_current_instance().setLevel('WARNING')
    try:
        cfg = read_config(path)
    # A config is a program and can raise any exception.
    except Exception as error:
        if isinstance(error, FileNotFoundError) and error.errno is None:
            sys.exit(str(error))  # the config itself
        while error.__context__ is not None:
            error = error.__context__
        missing = isinstance(error, FileNotFoundError) and error.filename
        moved = find_config(Path(missing).name) if missing else None
        hint = f'; did you mean {moved}?' if moved else ''
        sys.exit(f'{path} cannot be read: {type(error).__name__}: {error}{hint}')
    with one_line(f'{path}: '):
        check_sections(cfg.to_dict())
    if osp.isfile(path):
        for name in settings_without_effect(Path(path), cfg, known_sections()):
            sys.exit(f'{path}: {name}={cfg[name]!r:.80} has no effect: {_NO_EFFECT}')
    return cfg


def require_file(path: str, what: str) -> None:
    """End the program with one line unless `path` is a file or an address."""
    if '://' not in path and not osp.isfile(path):
        sys.exit(f'{what} not found: {path}')


def weights_file(named: str, setting: str = '') -> str:
    """The file of a checkpoint, an exported folder or an encoder of the zoo."""
    with one_line(setting):
        return find_weights(named)


def merge_common(cfg: Config, args: argparse.Namespace) -> None:
    """Put launcher, work folder and finally `--cfg-options` into the config.

    Call it after the program's own options, so that `--cfg-options` overrides them.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg.launcher = args.launcher
    cfg.work_dir = work_dir(cfg, args)
    options = args.cfg_options or {}
    settle(cfg, options)
    follow_training(cfg, options)


def settle(cfg: Config, options: dict) -> None:
    """Merge options, and fill in settings that are left open.

    Settings that are None are read from the data file, and mmengine's ``last_checkpoint``
    of a pre-training is replaced by the checkpoint that it names.
    """
    merge_options(cfg, options)
    with one_line(f'{cfg.filename}: '):
        check_sections(cfg.to_dict())
    with one_line():
        fill_from_file(cfg)
    only_top1_of_few_classes(cfg)
    weights = get(cfg.get('model'), 'backbone.init_cfg')
    weights = weights if isinstance(weights, dict) else {}
    checkpoint = Path(weights.get('checkpoint', ''))
    if checkpoint.name == 'last_checkpoint' and checkpoint.is_file():
        weights.checkpoint = checkpoint.read_text(encoding='utf-8').strip()
    elif checkpoint.is_dir() and checkpoint.name or str(checkpoint) in ZOO:
        weights.checkpoint = weights_file(str(checkpoint))


def merge_options(cfg: Config, options: dict) -> None:
    """Put `--cfg-options` into the config, or end the program with what can't be."""
    sections = known_sections()
    former = {name: [cfg[name]] for name in DATA_SETTINGS if name in cfg}
    wrong = []
    for option in options:
        name = option.partition('.')[0]
        if name not in {*sections, *cfg}:
            near = nearest(name, {*sections, *cfg}) or _place_of(cfg, name)
            hint = f'; did you mean {near}?' if near else ''
            wrong.append(f'{option}: there is no {name} in the config{hint}')
            continue
        try:
            _replace(cfg, option, options[option])
        except (AssertionError, IndexError, KeyError, TypeError) as error:
            # The whole of a list may be in the words.
            reason = textwrap.shorten(str(error), 200)
            wrong.append(f'{option}: the config has no such setting ({reason})')
            continue
        if name not in {*sections, *DATA_SETTINGS}:
            wrong.append(f'{option} has no effect: {_NO_EFFECT}')
    follow(cfg, former)
    for name in set(DATA_SETTINGS) & options.keys() & cfg.keys():
        if name != 'num_classes' and not is_used(cfg, name):
            wrong.append(f'{name} has no effect: {_NO_EFFECT}')
    if wrong:
        sys.exit('\n'.join(f'--cfg-options {sentence}' for sentence in wrong))


def _replace(cfg: Config, option: str, value: Any) -> None:
    """Set the value of a dotted name; a dict replaces the old value."""
    cfg.merge_from_dict({option: None if isinstance(value, dict) else value})
    if isinstance(value, dict):
        *path, last = option.split('.')
        part = cfg
        for name in path:
            part = part[int(name) if isinstance(part, list | tuple) else name]
        part[int(last) if isinstance(part, list) else last] = ConfigDict(value)


def _place_of(cfg: dict, name: str, path: str = '') -> str | None:
    """Where in a section of the config a setting of this name is."""
    for key, value in cfg.items():
        if path and key == name:
            return f'{path}{key}'
        if isinstance(value, dict):
            found = _place_of(value, name, f'{path}{key}.')
            if found:
                return found
    return None


def follow_training(cfg: Config, options: dict) -> None:
    """Change split and file of validation and test with those of training.

    If only `train_dataloader.dataset.split=xview_train` is given, a k-NN on `xsub_val`
    would classify training clips. Therefore `xsub_*` is replaced by `xview_*` there. In a
    wrapper such as `LabelledFraction` the setting goes to the wrapped data set.
    """
    train = cfg.get('train_dataloader', {}).get('dataset', {})
    others = ('val_dataloader', 'test_dataloader')
    for name in ('split', 'ann_file'):
        value = options.get(f'train_dataloader.dataset.{name}')
        if not value:
            continue
        if 'dataset' in train or 'datasets' in train:
            for _, dataset in dataset_cfgs(train, 'train_dataloader.dataset'):
                dataset[name] = value
            del train[name]
        if any(option.startswith(others) for option in options):
            continue
        for loader in others:
            part = (cfg.get(loader) or {}).get('dataset')
            for _, dataset in dataset_cfgs(part, loader):
                if name == 'ann_file' and name in dataset:
                    dataset[name] = value
                elif dataset.get(name) and value.endswith('_train'):
                    kind = dataset[name].rpartition('_')[2]
                    dataset[name] = f'{value.removesuffix("_train")}_{kind}'


def work_dir(cfg: Config, args: argparse.Namespace) -> str:
    """The folder of this run: from the option, the config, or the config's name."""
    chosen = (args.cfg_options or {}).get('work_dir') or args.work_dir
    name = osp.splitext(osp.basename(args.config))[0]
    return chosen or cfg.get('work_dir') or osp.join('./work_dirs', name)


def build_runner(cfg: Config, evaluated: bool = False) -> Runner:
    """Check the config and build its runner; `evaluated`: to test `load_from`."""
    with one_line(f'{cfg.filename}: '):
        check_config(cfg)
    if cfg.get('load_from'):
        cfg.load_from = weights_file(cfg.load_from, 'load_from: ')
    prepare_cpu_launch(cfg)
    runner = _build(cfg)
    with one_line(f'{cfg.filename}: '):
        check_widths(runner.model, cfg)
    # A run that is resumed was compared with its checkpoint already.
    if cfg.get('load_from') and not cfg.get('resume'):
        with one_line():
            check_weights(runner.model, cfg.load_from, cfg, evaluated)
    return runner


@contextmanager
def one_line(beginning: str = ''):
    """End the program with only the message of a check."""
    try:
        yield
    except (ValueError, OSError) as error:
        sys.exit(f'{beginning}{error}')


class _QuietRunner(Runner):
    """A runner that logs everything to its file, and little to the console."""

    def build_logger(self, *args, **kwargs) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        quieten(logger)
        return logger


def _build(cfg: Config) -> Runner:
    build = RUNNERS.build if 'runner_type' in cfg else _QuietRunner.from_cfg
    runner = build(cfg)
    runner.register_hook(ConsoleHook())
    return runner


@contextmanager
def plain_errors(runner: Runner) -> Iterator[None]:
    """End the program with one line if a run cannot start.

    Reasons are a missing file, or a setting that does not fit the data. The traceback is in
    the log file. Errors after the start of the run are raised as usual.
    """
    (console,) = (hook for hook in runner.hooks if isinstance(hook, ConsoleHook))
    try:
        yield
    except (ValueError, OSError) as error:
        if console.begun:
            raise
        runner.logger.error(error, exc_info=True, extra=FILE_ONLY)
        sys.exit(explain(error, runner.work_dir) or str(error))
    finally:
        console.stop()
