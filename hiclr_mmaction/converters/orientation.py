"""Bring skeletons in space upright, and to metres."""

from __future__ import annotations

import numpy as np

# The axis that points up, and the rotation (no reflection) that makes it +y.
_UPRIGHT = {
    'y': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    '-y': [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
    'z': [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    '-z': [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    'x': [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
    '-x': [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
}
UP_AXES = tuple(_UPRIGHT)


def orient(keypoint: np.ndarray, up: str = 'y', scale: float = 1.0) -> np.ndarray:
    """Rotate a clip so that ``up`` becomes ``+y``, and scale it.

    Args:
        keypoint (np.ndarray): ``(..., 3)``.
        up (str): The axis that points up, one of :data:`UP_AXES`.
        scale (float): Metres in a unit of the clip.
    """
    if up == 'y' and scale == 1.0:
        return keypoint
    return scale * (keypoint @ np.array(_UPRIGHT[up]).T)
