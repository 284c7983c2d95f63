"""Common parts of the drawing tools."""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

import hiclr_mmaction  # noqa: F401  registers the components

from ..common import load_config, require_file, settle
from ..values import ConfigOptions

__all__ = ['add_config', 'read_config', 'read_names', 'require_file', 'writable']


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the config and the options that change it."""
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='settings of the config to replace, as in tools/train.py',
    )


def read_config(args: argparse.Namespace) -> Config:
    """The config of :func:`add_config`; one line ends the program if there is none."""
    # mmengine logs the initialisation of every layer.
    MMLogger.get_current_instance().setLevel('WARNING')
    cfg = load_config(args.config)
    settle(cfg, args.cfg_options or {})
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    return cfg


def writable(path: str) -> None:
    """End the program with one line, before the work, if `path` has no folder."""
    if not Path(path).parent.is_dir():
        sys.exit(f'--out {path}: make the folder {Path(path).parent} first')


def read_names(path: str | None) -> list[str] | None:
    """Class names from a text file, one per line."""
    if path is None:
        return None
    require_file(path, 'names of classes')
    return Path(path).read_text(encoding='utf-8').splitlines()
