"""Checks of skeleton data, with messages that name the clip and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..skeleton import SkeletonLayout


class UnusableClip(ValueError):
    """A clip that cannot be used.

    Args:
        kind (str): What is wrong, in a few words that are the same for all clips.
        message (str): What is wrong with this one, and what to do.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def sample_name(sample: Mapping[str, Any]) -> str:
    """How messages call a sample: by its ``frame_dir`` or ``filename``."""
    return str(sample.get('frame_dir') or sample.get('filename') or '(unnamed)')


def check_keypoint(keypoint: Any, layout: SkeletonLayout, name: str) -> None:
    """Check that a clip can be used.

    Args:
        keypoint (np.ndarray): Should be ``(M, T, V, C)``, finite, ``M, T >= 1``; ``C``
            is 3, or 2 where the layout's coordinates have a score and the score lies
            apart (:func:`join_score`).
        layout (SkeletonLayout): Its joints should be the layout's.
        name (str): How the messages call the clip.

    Raises:
        UnusableClip: A ValueError with what is wrong and what to do.
    """
    shape = np.shape(keypoint)
    if len(shape) != 4:
        raise UnusableClip(
            'wrong number of axes',
            f'clip {name!r}: keypoint has shape {shape}; it should be (persons, frames, '
            'joints, coordinates).',
        )
    persons, frames, joints, channels = shape
    if joints != layout.num_joints:
        raise UnusableClip(
            'wrong joint count',
            f'clip {name!r} has {joints} joints, but layout {layout.name!r} has '
            f'{layout.num_joints}; set the layout that the data were made with.',
        )
    if persons == 0 or frames == 0:
        raise UnusableClip(
            'no person or no frame',
            f'clip {name!r} has {persons} persons and {frames} frames; remove it from '
            'the annotation file or from its split.',
        )
    if layout.coordinates == '2d':
        needed, accepted = '2 (x, y) or 3 (x, y, score)', [2, 3]
    else:
        needed, accepted = '3 (x, y, z)', [3]
    if channels not in accepted:
        raise UnusableClip(
            'wrong number of coordinates',
            f'clip {name!r} has {channels} coordinates a joint; layout {layout.name!r} '
            f'needs {needed}.',
        )
    # Not isfinite on all of it first: one pass, no temporary of the array's size.
    if not np.isfinite(np.sum(keypoint, dtype=np.float64)):
        bad = ~np.isfinite(np.asarray(keypoint, dtype=np.float64))
        frame = int(np.nonzero(bad.any(axis=(0, 2, 3)))[0][0])
        raise UnusableClip(
            'NaN or infinite',
            f'clip {name!r} holds {int(bad.sum())} values that are NaN or infinite, the '
            f'first in frame {frame}; repair the clip or remove it from its split.',
        )


def join_score(sample: dict[str, Any], layout: SkeletonLayout) -> None:
    """Join the scores of a sample to its coordinates.

    MMAction2's pose pickles hold ``keypoint`` ``(M, T, V, C)`` and ``keypoint_score``
    ``(M, T, V)``. In 2-D ``keypoint`` becomes float32 ``(M, T, V, 3)``; without scores a
    joint has 1, and 0 at (0, 0), where trackers put what they did not see. In 3-D a
    joint of score 0 becomes (0, 0, 0), which is how 3-D files mark it.
    ``keypoint_score`` is removed.

    Raises:
        UnusableClip: If the scores do not have the shape of the coordinates.
    """
    keypoint = sample['keypoint']
    score = sample.pop('keypoint_score', None)
    shape = np.shape(keypoint)
    two_d = layout.coordinates == '2d'
    if two_d and shape[-1:] != (2,) or not two_d and score is None:
        return
    keypoint = np.asarray(keypoint, dtype=np.float32)
    if score is None:
        score = (keypoint != 0).any(-1)
    elif np.shape(score) != shape[:-1]:
        raise UnusableClip(
            'scores of another shape',
            f'clip {sample_name(sample)!r}: keypoint_score has shape {np.shape(score)}, '
            f'but keypoint {shape} needs {shape[:-1]}, one score a joint; repair the '
            'clip or remove it from its split.',
        )
    score = np.asarray(score, dtype=np.float32)[..., None]
    sample['keypoint'] = (
        np.concatenate([keypoint, score], axis=-1) if two_d else keypoint * (score != 0)
    )
