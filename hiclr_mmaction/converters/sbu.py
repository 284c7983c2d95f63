"""SBU Kinect Interaction, the text files of its authors.

K. Yun et al., CVPR Workshops 2012. ``s01s02/03/001/skeleton_pos.txt`` (the two persons,
action, take) has a line ``frame,A,B`` for each frame, ``x,y,z`` of 15 joints of the person
on the left and of the one on the right, normalised to the picture with y down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .converter import Clip, split_by
from .named_folder import SetFolder, label_of, read_numbers

_NAME = re.compile(r'(s\d\ds\d\d)/(\d\d)/(\d+)/skeleton_pos\.txt')
ACTIONS = (
    'approaching', 'departing', 'kicking', 'punching', 'pushing', 'hugging',
    'shaking hands', 'exchanging',
)  # fmt: skip
# The pairs of persons of each fold that the authors evaluate on.
FOLDS = dict(
    fold1=('s01s02', 's03s04', 's05s02', 's06s04'),
    fold2=('s02s03', 's02s07', 's03s05', 's05s03'),
    fold3=('s01s03', 's01s07', 's07s01', 's07s03'),
    fold4=('s02s01', 's02s06', 's03s02', 's03s06'),
    fold5=('s04s02', 's04s03', 's04s06', 's06s02', 's06s03'),
)
# The authors' equations for millimetres, y up: origin and unit of each coordinate.
_ORIGIN = np.array([1280, 960, 0])
_UNIT = np.array([-2560, -1920, 10000 / 7.8125])


class SBUConverter(SetFolder):
    """The recordings of a folder, called ``s01s02_03_001``; splits ``fold1_train``, ..."""

    layout = 'openni15'
    num_person = 2
    classes = ACTIONS

    def clips(self) -> Iterator[Clip]:
        """All recordings, by name."""
        for path in sorted(Path(self.folder).rglob('skeleton_pos.txt')):
            if match := _NAME.fullmatch('/'.join(path.parts[-4:])):
                yield Clip('_'.join(match.groups()), (str(path),))

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read a file."""
        pair, action, take = clip.id.split('_')
        label = label_of(int(action), dict(enumerate(ACTIONS, 1)))
        joints = read_numbers(clip.files[0], 91)[:, 1:].reshape(-1, 2, 15, 3)
        there = joints.any(axis=(2, 3), keepdims=True)
        joints = there * (_ORIGIN + _UNIT * joints)
        return dict(
            keypoint=joints.transpose(1, 0, 2, 3),
            label=label,
            pair=pair,
            take=int(take),
            scale=0.001,
        )

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """The authors' five folds."""
        pairs = {pair for fold in FOLDS.values() for pair in fold}
        out: dict[str, list[str]] = {}
        for name, fold in FOLDS.items():
            out.update(split_by(samples, 'pair', pairs - set(fold), name))
        return out
