"""Checks of skeleton data, with messages that name the clip and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..skeleton import SkeletonLayout


def sample_name(sample: Mapping[str, Any]) -> str:
    """How messages call a sample: by its ``frame_dir`` or ``filename``."""
    return str(sample.get('frame_dir') or sample.get('filename') or '(unnamed)')


def check_keypoint(keypoint: Any, layout: SkeletonLayout, name: str) -> None:
    """Check that a clip can be used.

    Args:
        keypoint (np.ndarray): Should be ``(M, T, V, C)``, finite, ``M, T >= 1``.
        layout (SkeletonLayout): Its joints should be the layout's.
        name (str): How the messages call the clip.

    Raises:
        ValueError: With what is wrong and what to do.
    """
    shape = np.shape(keypoint)
    if len(shape) != 4:
        raise ValueError(
            f'clip {name!r}: keypoint has shape {shape}; it should be (persons, frames, '
            'joints, coordinates).'
        )
    persons, frames, joints, channels = shape
    if joints != layout.num_joints:
        raise ValueError(
            f'clip {name!r} has {joints} joints, but layout {layout.name!r} has '
            f'{layout.num_joints}; set the layout that the data were made with.'
        )
    if persons == 0 or frames == 0:
        raise ValueError(
            f'clip {name!r} has {persons} persons and {frames} frames; remove it from '
            'the annotation file or from its split.'
        )
    if channels != 3:
        raise ValueError(
            f'clip {name!r} has {channels} coordinates a joint; 3 (x, y, z) are needed.'
        )
    # Not isfinite on all of it first: one pass, no temporary of the array's size.
    if not np.isfinite(np.sum(keypoint, dtype=np.float64)):
        bad = ~np.isfinite(np.asarray(keypoint, dtype=np.float64))
        frame = int(np.nonzero(bad.any(axis=(0, 2, 3)))[0][0])
        raise ValueError(
            f'clip {name!r} holds {int(bad.sum())} values that are NaN or infinite, the '
            f'first in frame {frame}; repair the clip or remove it from its split.'
        )
