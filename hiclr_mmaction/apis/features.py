"""Features of raw clips of any layout."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..annotations import check_keypoint, join_score
from ..annotations.clip_checks import pose_content
from ..skeleton import get_layout, measured_joints
from ..skeleton.mapping import map_joints
from ..skeleton.orientation import body_height, find_up, unit_problem, up_problem

_INSPECTED = 20  # clips, whose unit and up axis are looked at


@torch.no_grad()
def extract_features(
    encoder: Any,
    clips: np.ndarray | Sequence | Mapping[str, Any],
    batch_size: int = 64,
    layout: str | dict | None = None,
) -> np.ndarray | dict[str, np.ndarray]:
    """Features of raw clips.

    A clip is an array ``(M, T, V, C)``, 3-D in metres, or a dict with such a
    ``keypoint`` and perhaps a ``keypoint_score``, as in a pose pickle. Warns of persons
    who are not 0.5 to 2.5 m tall or do not stand along y, and of aligned clips.

    Args:
        encoder (ZooEncoder | SkeletonEncoder): Of :func:`init_encoder`.
        clips (np.ndarray | Sequence | Mapping): A clip, clips of one length
            ``(N, M, T, V, C)``, a list of clips of any length and number of persons,
            a dict of clips by their names, or the content of a pose pickle.
        batch_size (int): Clips at a time.
        layout (str | dict, optional): The skeleton of the clips. They are mapped to the
            encoder's skeleton (:func:`~hiclr_mmaction.skeleton.mapping.map_joints`). None:
            clips have the encoder's skeleton. A clip that is a dict may have its own
            ``layout``.

    Returns:
        np.ndarray | dict[str, np.ndarray]: float32 ``(N, D)``, equal to the model's
        ``predict``; for a dict of clips by name, a dict of ``(D,)``.

    Raises:
        ValueError: If there are no clips, or a clip does not fit its layout, is empty or
            not finite, or cannot be mapped; the message names the clip.
    """
    named: Mapping[str, Any] | None = None
    if isinstance(clips, Mapping) and 'annotations' in clips:
        clips = pickled_clips(clips, 'clips')
    elif isinstance(clips, Mapping) and 'keypoint' not in clips:
        named, clips = clips, list(clips.values())
    listed = _as_list(clips, named)
    if batch_size < 1:
        raise ValueError(f'batch_size={batch_size}; it must be at least 1.')
    _warn(listed, layout, encoder)
    encoder.eval()
    found: list[Tensor] = []
    for start in range(0, len(listed), batch_size):
        batch = [
            encoder.prepare(_mapped(clip, layout, encoder), clip['frame_dir'])
            for clip in listed[start : start + batch_size]
        ]
        found.append(encoder(batch).float().cpu())
    features = torch.cat(found).numpy()
    return features if named is None else dict(zip(named, features, strict=True))


def pickled_clips(content: Any, where: str) -> list[dict[str, Any]]:
    """The clips of a pose pickle; each says what the file says of all.

    Args:
        content (Mapping | Sequence): Of the file.
        where (str): How errors call it.

    Raises:
        ValueError: If it is no pose pickle.
    """
    clips, _, head = pose_content(content, where)
    said = {k: head[k] for k in ('layout', 'prepared') if head.get(k) is not None}
    return [dict(said, **clip) for clip in clips]


def _mapped(
    clip: dict[str, Any], layout: str | dict | None, encoder: Any
) -> dict[str, Any]:
    """A clip with the joints of the encoder's layout."""
    named = clip.get('layout') if layout is None else layout
    before = named if named is None else get_layout(named)
    if before is None or before == (after := encoder.layout):
        return clip
    clip = dict(clip)
    join_score(clip, before)
    check_keypoint(clip['keypoint'], before, clip['frame_dir'])
    x = torch.from_numpy(np.array(clip['keypoint'], np.float32))
    joints = map_joints(x, before, after, measured_joints(x, before))
    return dict(clip, keypoint=joints.numpy())


def _warn(
    clips: Sequence[Mapping[str, Any]], layout: str | dict | None, encoder: Any
) -> None:
    """Warn of clips that were aligned already, and of another unit or up axis."""
    heights, ups = [], []
    if not getattr(encoder, 'aligns', True):
        return
    for clip in clips[:: 1 + len(clips) // _INSPECTED]:
        if clip.get('prepared'):
            warnings.warn(
                f'clip {clip["frame_dir"]!r} is aligned already, and is aligned again: '
                'features differ a little from those of the raw clip; convert the data '
                'without --align.',
                stacklevel=4,
            )
            return
        x = clip['keypoint']
        own = get_layout(layout or clip.get('layout') or encoder.layout)
        if own.coordinates == '3d' and x.shape[2:] == (own.num_joints, 3):
            whole = np.isfinite(x).all((-2, -1)) & (x != 0).any(-1).all(-1)
            x = x[whole].astype(np.float64)
            height = body_height(x, own)
            heights += [height] if height else []
            ups.append(find_up(x, own))
    problems = [unit_problem(float(np.median(heights)))] if heights else []
    problems += [up_problem(max(ups, key=ups.count))] if ups else []
    for problem in filter(None, problems):
        warnings.warn(problem, stacklevel=4)


def _as_list(clips: Any, names: Iterable[str] | None) -> list[dict[str, Any]]:
    """Each clip as a dict with a ``keypoint``, and its name as ``frame_dir``."""
    one = isinstance(clips, Mapping) or (
        isinstance(clips, np.ndarray | Tensor) and clips.ndim == 4
    )
    clips = [clips] if one else list(clips)
    if not clips:
        raise ValueError('clips is empty; give at least one clip (M, T, V, C).')
    own = (f'clips[{i}]' for i in range(len(clips)))
    out = []
    for name, clip in zip(names or own, clips, strict=True):
        clip = dict(clip) if isinstance(clip, Mapping) else dict(keypoint=clip)
        name = str(name if names else clip.get('frame_dir', name))
        if 'keypoint' not in clip:
            raise ValueError(f'clip {name!r} has no keypoint.')
        keypoint = np.asarray(clip['keypoint'])
        if keypoint.ndim != 4 or keypoint.dtype.kind not in 'fiu':
            raise ValueError(
                f'clip {name!r} is {keypoint.dtype} of shape {keypoint.shape}; a clip is '
                'an array (M, T, V, C) of numbers: persons, frames, joints, coordinates.'
            )
        out.append(dict(clip, keypoint=keypoint, frame_dir=name))
    return out
