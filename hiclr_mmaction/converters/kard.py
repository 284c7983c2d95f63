"""KARD, the text files of its authors.

S. Gaglio, G. Lo Re, M. Morana, IEEE THMS 2015. A file ``a01_s02_e03_realworld.txt``
(action, subject, take) has a line ``x y z`` for each of the 15 joints of each frame,
millimetres; x is to the right of the picture.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from .named_folder import NamedFolder, one_person, read_numbers

_NAME = re.compile(
    r'(?P<id>a(?P<action>\d\d)_s(?P<subject>\d\d)_e(?P<take>\d\d))_realworld'
)
ACTIONS = (
    'horizontal arm wave', 'high arm wave', 'two hand wave', 'catch cap', 'high throw',
    'draw x', 'draw tick', 'toss paper', 'forward kick', 'side kick', 'take umbrella',
    'bend', 'hand clap', 'walk', 'phone call', 'drink', 'sit down', 'stand up',
)  # fmt: skip
# For each joint of `openni15` its line in a frame.
_LINES = (0, 1, 8, 5, 6, 7, 2, 3, 4, 12, 13, 14, 9, 10, 11)


class KARDConverter(NamedFolder):
    """The ``*_realworld.txt`` files of a folder."""

    layout = 'openni15'
    leaves_one_out = True
    suffix = '.txt'
    pattern = _NAME
    actions = dict(enumerate(ACTIONS, 1))

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file."""
        joints = read_numbers(path, 15, 3)[:, _LINES] * np.array([-1, 1, 1])
        return dict(one_person(joints), scale=0.001)
