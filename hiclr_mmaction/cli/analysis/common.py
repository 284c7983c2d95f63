"""Common parts of the drawing tools."""

import argparse
import sys
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

import hiclr_mmaction  # noqa: F401  registers the components

from ...visualization import most_confused
from ..common import load_config, one_line, require_file, settle, weights_file
from ..tables import print_table
from ..values import ConfigOptions

__all__ = [
    'add_classes',
    'add_config',
    'one_line',
    'panel_names',
    'print_confused',
    'read_config',
    'read_names',
    'require_file',
    'weights_file',
    'writable',
]


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


def add_classes(parser: argparse.ArgumentParser) -> None:
    """Add ``--classes``, for :func:`read_names`."""
    parser.add_argument(
        '--classes',
        metavar='FILE',
        help='text file with the names of the classes, one per line (default: the names '
        'in the data)',
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


def panel_names(names: list[str], count: int, what: str) -> list[str]:
    """Names of panels or runs; one line ends the program unless each has its own."""
    if len(names) != count or len(set(names)) < count:
        sys.exit(
            f'error: the names {", ".join(names)} are not one for each of the {count} '
            f'{what}; give each a name of its own with --names'
        )
    return names


def print_confused(matrix: np.ndarray, names: list[str], top: int) -> None:
    """Print the pairs of classes that are confused most."""
    rows = [
        (names[true], names[predicted], str(clips), f'{part:.0%}')
        for true, predicted, clips, part in most_confused(matrix, top)
    ]
    if rows:
        headings = 'true class', 'predicted class', 'clips', 'share of the class'
        print_table(headings, rows)
