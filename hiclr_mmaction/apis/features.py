"""Features of raw clips of any layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..annotations import check_keypoint, join_score
from ..skeleton import get_layout, measured_joints
from ..skeleton.mapping import map_joints


@torch.no_grad()
def extract_features(
    encoder: Any,
    clips: np.ndarray | Sequence | Mapping[str, Any],
    batch_size: int = 64,
    layout: str | dict | None = None,
) -> np.ndarray | dict[str, np.ndarray]:
    """Features of raw clips.

    A clip is an array ``(M, T, V, C)``, 3-D in metres, or a dict with such a
    ``keypoint`` and perhaps a ``keypoint_score``, as in a pose pickle.

    Args:
        encoder (ZooEncoder | SkeletonEncoder): Of :func:`init_encoder`.
        clips (np.ndarray | Sequence | Mapping): A clip, clips of one length
            ``(N, M, T, V, C)``, a list of clips of any length and number of persons, or
            a dict of clips by their names.
        batch_size (int): Clips at a time.
        layout (str | dict, optional): The skeleton of the clips. They are mapped to the
            encoder's skeleton (:func:`~hiclr_mmaction.skeleton.mapping.map_joints`). None:
            clips have the encoder's skeleton. A clip that is a dict may have its own
            ``layout``.

    Returns:
        np.ndarray | dict[str, np.ndarray]: float32 ``(N, D)``, equal to the model's
        ``predict``; for a dict of clips, a dict of ``(D,)``.

    Raises:
        ValueError: If there are no clips, or a clip does not fit its layout, is empty or
            not finite, or cannot be mapped; the message names the clip.
    """
    if isinstance(clips, Mapping) and 'keypoint' not in clips:
        values = extract_features(encoder, list(clips.values()), batch_size, layout)
        return dict(zip(clips, values, strict=True))
    clips = _as_list(clips)
    if batch_size < 1:
        raise ValueError(f'batch_size={batch_size}; it must be at least 1.')
    encoder.eval()
    found: list[Tensor] = []
    for start in range(0, len(clips), batch_size):
        batch = []
        for i, clip in enumerate(clips[start : start + batch_size], start):
            mapped = _mapped(clip, layout, encoder, f'clips[{i}]')
            batch.append(encoder.prepare(mapped, f'clips[{i}]'))
        found.append(encoder(batch).float().cpu())
    return torch.cat(found).numpy()


def _mapped(
    clip: dict[str, Any], layout: str | dict | None, encoder: Any, name: str
) -> dict[str, Any]:
    """A clip with the joints of the encoder's layout."""
    clip = dict(clip)
    own = clip.pop('layout', None)
    source = own if layout is None else layout
    if source is None:
        return clip
    before, after = get_layout(source), encoder.layout
    if before == after:
        return clip
    join_score(clip, before)
    check_keypoint(clip['keypoint'], before, name)
    x = torch.from_numpy(np.array(clip['keypoint'], np.float32))
    joints = map_joints(x, before, after, measured_joints(x, before))
    return dict(clip, keypoint=joints.numpy())


def _as_list(clips: Any) -> list[dict[str, Any]]:
    """Each clip as a dict with a ``keypoint``."""
    one = isinstance(clips, Mapping) or (
        isinstance(clips, np.ndarray | Tensor) and clips.ndim == 4
    )
    clips = [clips] if one else list(clips)
    if not clips:
        raise ValueError('clips is empty; give at least one clip (M, T, V, C).')
    out = []
    for i, clip in enumerate(clips):
        clip = clip if isinstance(clip, Mapping) else dict(keypoint=clip)
        keypoint = np.asarray(clip['keypoint'])
        if keypoint.ndim != 4 or keypoint.dtype.kind not in 'fiu':
            raise ValueError(
                f'clips[{i}] is {keypoint.dtype} of shape {keypoint.shape}; a clip is an '
                'array (M, T, V, C) of numbers: persons, frames, joints, coordinates.'
            )
        out.append(dict(clip, keypoint=keypoint))
    return out
