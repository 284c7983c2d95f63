"""Pictures of skeleton clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hiclr_mmaction.skeleton.layouts import SkeletonLayout, get_layout

COLOURS = dict(left='tab:blue', right='tab:red', middle='0.35')
_TALL = 1.25 * 0.83  # height of the axes of one figure, in widths


def draw_clip(
    keypoint: np.ndarray,
    path: str | Path,
    layout: str | dict | SkeletonLayout = 'nturgb+d',
    num_frames: int = 8,
    title: str | None = None,
    frame_size: float = 2.0,
    dpi: int = 100,
) -> None:
    """Draw a clip as a row of stick figures and save it as a picture.

    Frames are taken evenly from the first to the last. A skeleton is drawn as
    the sensor sees it. In space ``y`` is up, and ``x``, which in Kinect's
    camera space grows to the camera's left, grows to the left. In an image
    (``layout.coordinates`` are ``'xys'``) ``y`` is down and ``x`` to the right.
    So the left side (blue) of somebody who faces the camera is to the right in
    both. Persons and joints that are absent (all zero, not finite, or with a
    score of 0) are left out, and bones are the paler the smaller the score.

    Args:
        keypoint (np.ndarray): ``(M, T, V, C)`` or ``(T, V, C)``, metres, or
            pixels and, as a third, a score; ``C`` is at least 2, and further
            coordinates are not drawn.
        path (str | Path): Where to save it; the suffix names the format.
        layout (str | dict | SkeletonLayout): The skeleton, see
            :func:`get_layout`.
        num_frames (int): How many frames to draw; fewer in a shorter clip.
        title (str, optional): Written above. Defaults to None.
        frame_size (float): Width of one figure in inches; height is 1.25 times
            that.
        dpi (int): Pixels per inch. The picture has ``figures * frame_size *
            dpi`` by ``1.25 * frame_size * dpi`` pixels.

    Raises:
        ValueError: If the shape does not fit the layout, or the clip is empty,
            or ``num_frames`` is not positive.
    """
    layout = get_layout(layout)
    keypoint = np.asarray(keypoint, dtype=float)
    if keypoint.ndim == 3:
        keypoint = keypoint[None]
    if (
        keypoint.ndim != 4
        or keypoint.shape[2] != layout.num_joints
        or keypoint.shape[3] < 2
    ):
        raise ValueError(
            f'keypoint of shape {keypoint.shape} is no (M, T, V, C) with the '
            f'V={layout.num_joints} joints of layout {layout.name!r}; pass the '
            'layout of this skeleton.'
        )
    if num_frames < 1:
        raise ValueError(f'num_frames={num_frames} draws nothing; use 1 or more.')
    total = keypoint.shape[1]
    image = layout.coordinates == 'xys'
    score = _score(keypoint, image)
    present = score > 0
    if not present.any():
        raise ValueError(
            f'keypoint of shape {keypoint.shape} holds nobody: '
            'all joints are zero or not finite.'
        )

    shown = np.linspace(0, total - 1, min(num_frames, total)).round()
    figure = Figure(figsize=(frame_size * len(shown), 1.25 * frame_size), dpi=dpi)
    if title:
        figure.suptitle(title, fontsize=10)
    plane = keypoint[..., :2]
    seen = plane[present]
    middle = (seen.min(0) + seen.max(0)) / 2
    # One scale for all frames, such that neither width nor height is cut.
    # Half a width; the axes are a little higher than wide.
    half = np.ptp(seen, axis=0) / 2 / (1, _TALL)
    reach = max(1.06 * half.max(), 1e-3)
    colours = _bone_colours(layout)

    for column, frame in enumerate(shown.astype(int)):
        axes = figure.add_axes([column / len(shown), 0.07, 1 / len(shown), 0.83])
        for person, known in zip(plane[:, frame], score[:, frame], strict=True):
            for (child, parent), colour in zip(layout.bones, colours, strict=True):
                if known[child] > 0 and known[parent] > 0:
                    axes.plot(
                        *person[[child, parent]].T,
                        color=colour,
                        alpha=float(np.clip(known[[child, parent]].min(), 0.15, 1)),
                        linewidth=1.8,
                        solid_capstyle='round',
                    )
        right, up = (1, -1) if image else (-1, 1)
        axes.set_xlim(middle[0] - right * reach, middle[0] + right * reach)
        axes.set_ylim(middle[1] - up * _TALL * reach, middle[1] + up * _TALL * reach)
        axes.set_aspect('equal')
        axes.set_axis_off()
        axes.text(
            0.5,
            -0.06,
            f'{frame}',
            transform=axes.transAxes,
            ha='center',
            fontsize=7,
            color='0.5',
        )
    figure.savefig(path)


def _score(keypoint: np.ndarray, image: bool) -> np.ndarray:
    """How sure each joint is, 0 where it is absent, ``(M, T, V)``."""
    finite = np.isfinite(keypoint).all(-1)
    keypoint = np.nan_to_num(keypoint)
    if not image:
        score = (keypoint != 0).any((-2, -1))[..., None]
    elif keypoint.shape[-1] > 2:
        score = keypoint[..., 2]
    else:  # trackers put at the origin what they did not see
        score = (keypoint != 0).any(-1)
    return np.where(finite, score, 0).astype(float)


def _bone_colours(layout: SkeletonLayout) -> list:
    """Colour of each bone by the side of its child joint."""
    left_first = layout.shoulders is None or (layout.shoulders[1] < layout.shoulders[0])
    colours = []
    for child, _ in layout.bones:
        other = layout.mirror[child]
        name = layout.joints[child].lower() if layout.joints else ''
        if other == child:
            colours.append(COLOURS['middle'])
        elif ('left' in name) != ('right' in name):
            colours.append(COLOURS['left' if 'left' in name else 'right'])
        else:
            # Every known layout numbers one whole side before the other.
            first = child < other
            colours.append(COLOURS['left' if first == left_first else 'right'])
    return colours
