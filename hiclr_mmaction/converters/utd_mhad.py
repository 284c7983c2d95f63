"""UTD-MHAD, the MATLAB files of its authors.

C. Chen, R. Jafari, N. Kehtarnavaz, ICIP 2015. A file ``a1_s2_t3_skeleton.mat`` (action,
subject, take) holds ``d_skel`` ``(20, 3, T)``, metres.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from .matlab import read_matrix
from .named_folder import NamedFolder

_NAME = re.compile(
    r'(?P<id>a(?P<action>\d+)_s(?P<subject>\d+)_t(?P<take>\d+))_skeleton'
)
ACTIONS = (
    'swipe left', 'swipe right', 'wave', 'clap', 'throw', 'arm cross',
    'basketball shoot', 'draw x', 'draw circle clockwise',
    'draw circle counter clockwise', 'draw triangle', 'bowling', 'boxing',
    'baseball swing', 'tennis swing', 'arm curl', 'tennis serve', 'push', 'knock',
    'catch', 'pickup and throw', 'jog', 'walk', 'sit to stand', 'stand to sit', 'lunge',
    'squat',
)  # fmt: skip
# For each joint of `kinect20` its row: the authors count the trunk from the head down.
_ROWS = (3, 2, 1, 0, *range(4, 20))


class UTDMHADConverter(NamedFolder):
    """The ``*_skeleton.mat`` files of a folder; splits ``xsub_train``, ``xsub_val``."""

    suffix = '.mat'
    pattern = _NAME
    actions = dict(enumerate(ACTIONS, 1))

    def read_file(self, path: Path) -> dict[str, Any]:
        """Read a file."""
        try:
            joints = read_matrix(path.read_bytes(), 'd_skel').astype(np.float64)
        except ValueError as error:
            raise ValueError(f'no MATLAB file: {error}') from error
        except KeyError as error:
            raise ValueError('no skeletons: the file has no d_skel') from error
        if joints.ndim == 2:  # MATLAB drops the last axis of a single frame
            joints = joints[..., None]
        if joints.ndim != 3 or joints.shape[:2] != (20, 3):
            raise ValueError(f'wrong shape: {joints.shape}, not (20, 3, T)')
        return dict(keypoint=joints[list(_ROWS)].transpose(2, 0, 1)[None])
