"""MSR-Action3D, the text files of its authors.

W. Li, Z. Zhang, Z. Liu, CVPR4HB 2010. A file ``a01_s02_e03_skeleton3D.txt`` (action,
subject, take) has a line ``x y z confidence`` for each of the 20 joints of each frame,
metres.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .named_folder import NamedFolder, one_person, read_numbers

_NAME = re.compile(
    r'(?P<id>a(?P<action>\d\d)_s(?P<subject>\d\d)_e(?P<take>\d\d))(?:_skeleton3D)?'
)
ACTIONS = (
    'high arm wave', 'horizontal arm wave', 'hammer', 'hand catch', 'forward punch',
    'high throw', 'draw x', 'draw tick', 'draw circle', 'hand clap', 'two hand wave',
    'side boxing', 'bend', 'forward kick', 'side kick', 'jogging', 'tennis swing',
    'tennis serve', 'golf swing', 'pickup and throw',
)  # fmt: skip
# The three subsets of actions that the authors evaluate, by their numbers from 1 on.
SUBSETS = dict(
    as1=(2, 3, 5, 6, 10, 13, 18, 20),
    as2=(1, 4, 7, 8, 9, 11, 12, 14),
    as3=(6, 14, 15, 16, 17, 18, 19, 20),
)
# For each joint of `kinect20` its line in a frame.
_LINES = (6, 3, 2, 19, 0, 7, 9, 11, 1, 8, 10, 12, 4, 13, 15, 17, 5, 14, 16, 18)


class MSRAction3DConverter(NamedFolder):
    """The text files of a folder.

    Splits: ``xsub_train`` and ``xsub_val``, and the same of the subsets (``as1_train``,
    ...), with labels of the whole set. Frames without a tracked person (all zero) are
    dropped. Papers use the 557 clips of the authors' list; exclude the others with
    ``ignore``.
    """

    suffix = '.txt'
    pattern = _NAME
    actions = dict(enumerate(ACTIONS, 1))

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file."""
        return one_person(read_numbers(path, 20, 4)[:, _LINES, :3])

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Those of all actions, and of each subset."""
        out = super().splits(samples)
        for name, actions in SUBSETS.items():
            those = [s for s in samples if s['label'] + 1 in actions]
            parts = super().splits(those)
            out.update({k.replace('xsub', name): v for k, v in parts.items()})
        return out
