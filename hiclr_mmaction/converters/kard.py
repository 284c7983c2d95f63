"""KARD, the text files of its authors.

S. Gaglio, G. Lo Re, M. Morana, IEEE THMS 2015. A file ``a01_s02_e03_realworld.txt``
(action, subject, take) has a line ``x y z`` for each of the 15 joints of each frame,
millimetres; x is to the right of the picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .converter import split_by
from .named_folder import NamedFolder, leave_one_out, one_person, read_numbers

_NAME = re.compile(
    r'(?P<id>a(?P<action>\d\d)_s(?P<subject>\d\d)_e(?P<take>\d\d))_realworld'
)
ACTIONS = (
    'horizontal arm wave', 'high arm wave', 'two hand wave', 'catch cap', 'high throw',
    'draw x', 'draw tick', 'toss paper', 'forward kick', 'side kick', 'take umbrella',
    'bend', 'hand clap', 'walk', 'phone call', 'drink', 'sit down', 'stand up',
)  # fmt: skip
XSUB_TRAIN = (1, 3, 5, 7, 9)
# For each joint of `openni15` its line in a frame.
_LINES = (0, 1, 8, 5, 6, 7, 2, 3, 4, 12, 13, 14, 9, 10, 11)


class KARDConverter(NamedFolder):
    """The ``*_realworld.txt`` files of a folder.

    Splits: ``loso01_train``, ``loso01_val``, ..., one subject left out each, and
    ``xsub_train``, ``xsub_val``, odd and even subjects (not a published protocol).

    Args:
        folder (str | Path): Where they are; subfolders count.
        max_frames (int, optional): Longer clips are left out.
    """

    layout = 'openni15'
    suffix = '.txt'
    pattern = _NAME
    actions = dict(enumerate(ACTIONS, 1))

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file."""
        joints = read_numbers(path, 15, 3)[:, _LINES] * np.array([-1, 1, 1])
        return dict(one_person(joints), scale=0.001)

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """By subject."""
        return {
            **split_by(samples, 'subject', XSUB_TRAIN, 'xsub'),
            **leave_one_out(samples),
        }
