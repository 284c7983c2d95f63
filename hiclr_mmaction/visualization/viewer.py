"""An HTML page of 3-D clips that can be rotated with the mouse."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from ..skeleton import SkeletonLayout, get_layout
from .skeletons import as_clip, bone_colours, joint_scores


def viewer_page(
    clips: Sequence[Mapping[str, Any]],
    layout: str | dict | SkeletonLayout = 'nturgb+d',
    title: str = 'Clips',
    fps: int = 15,
) -> str:
    """Make a self-contained HTML page of animated skeletons.

    All clips play together, at one scale, and rotate together with the mouse.

    Args:
        clips (Sequence[Mapping]): ``keypoint (M, T, V, C)``, ``title``, and if wanted
            ``lines`` (list[str], below the title) and ``query`` (bool: has a frame).
        layout (str | dict | SkeletonLayout): Their skeleton.
        title (str): Of the page.
        fps (int): Frames per second, which the page lets change.

    Returns:
        str: The page.

    Raises:
        ValueError: If there is no clip, nobody in one of them, or a shape does not fit
            the layout.
    """
    layout = get_layout(layout)
    if not clips:
        raise ValueError('clips is empty; give at least one clip.')
    flat = layout.coordinates == '2d'
    data = dict(
        bones=[
            [child, parent, to_hex(colour)]
            for (child, parent), colour in zip(
                layout.bones, bone_colours(layout), strict=True
            )
        ],
        flat=flat,
        clips=[
            dict(
                title=clip['title'],
                lines=list(clip.get('lines', ())),
                query=bool(clip.get('query')),
                frames=_frames(clip, layout, flat),
            )
            for clip in clips
        ],
    )
    # Within a script element nothing else can end it.
    text = json.dumps(data, separators=(',', ':')).replace('<', '\\u003c')
    template = files(__package__).joinpath('viewer.html').read_text(encoding='utf-8')
    return Template(template).substitute(title=html.escape(title), data=text, fps=fps)


def _frames(clip: Mapping[str, Any], layout: SkeletonLayout, flat: bool) -> list:
    """``[frame][person][joint]``: to the right, up and near; None where it is absent."""
    keypoint = as_clip(clip['keypoint'], layout)
    present = joint_scores(keypoint, flat) > 0
    if not present.any():
        raise ValueError(f'clip {clip["title"]!r} holds nobody: all joints are absent.')
    # In 3-D x grows to the left and z away from the viewer; in 2-D y grows down.
    x, y = np.moveaxis(keypoint[..., :2], -1, 0)
    near = np.zeros_like(x) if flat else -keypoint[..., 2]
    coordinates = np.stack([x, -y, near] if flat else [-x, y, near], axis=-1).round(3)
    persons = present.any((1, 2))
    coordinates, present = coordinates[persons], present[persons]
    return [
        [
            [p if there else None for p, there in zip(joints, known, strict=True)]
            for joints, known in zip(
                coordinates[:, t].tolist(), present[:, t], strict=True
            )
        ]
        for t in range(coordinates.shape[1])
    ]
