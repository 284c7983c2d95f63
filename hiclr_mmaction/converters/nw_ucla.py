"""NW-UCLA Multiview Action 3D, the JSON files that CTR-GCN distributes.

J. Wang et al., CVPR 2014. A file ``a01_s02_e03_v01.json`` (action, subject, take, view)
is ``dict(file_name=..., skeletons=[T][20][3], label=...)``, metres.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .converter import split_by
from .named_folder import NamedFolder

_NAME = re.compile(
    r'(?P<id>a(?P<action>\d\d)_s(?P<subject>\d\d)_e(?P<take>\d\d)_v(?P<camera>\d\d))'
)
# The numbers of the actions in the names of the files; 7 and 10 are none.
ACTIONS = {
    1: 'pick up with one hand',
    2: 'pick up with two hands',
    3: 'drop trash',
    4: 'walk around',
    5: 'sit down',
    6: 'stand up',
    8: 'donning',
    9: 'doffing',
    11: 'throw',
    12: 'carry',
}
XVIEW_TRAIN = (1, 2)


class NWUCLAConverter(NamedFolder):
    """The JSON files of a folder (``all_sqe``); splits ``xview_train``, ``xview_val``."""

    suffix = '.json'
    pattern = _NAME
    actions = ACTIONS

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file."""
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
        except (ValueError, RecursionError) as error:
            raise ValueError(f'not JSON: {error}') from error
        if not isinstance(content, Mapping) or 'skeletons' not in content:
            raise ValueError('no skeletons: the file has no such key')
        try:
            joints = np.asarray(content['skeletons'], dtype=np.float64)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f'uneven frames: {error}') from error
        if joints.ndim != 3:
            raise ValueError(f'wrong shape: {joints.shape}, not (T, 20, 3)')
        return dict(keypoint=joints[None])

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Views 1 and 2 for training, 3 for evaluation."""
        return split_by(samples, 'camera', XVIEW_TRAIN, 'xview')
