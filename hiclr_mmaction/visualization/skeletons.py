"""Pictures of skeleton clips."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from ..skeleton.layouts import SkeletonLayout, get_layout

COLOURS = dict(left='tab:blue', right='tab:red', middle='0.35', added='tab:green')
_TALL = 1.25 * 0.83  # height of the axes of one figure, in widths
_FAINT = 0.25


class Stage:
    """Draws frames of clips of one skeleton, all at one scale.

    Skeletons are drawn as the sensor sees them. In 3-D ``y`` is up and ``x`` grows to the
    left, as in Kinect's camera space. In 2-D ``y`` is down and ``x`` grows to the right. In
    both, the left side (blue) of a person who faces the camera is on the right. Absent
    persons and joints (all zero, not finite, or with a score of 0) are not drawn, and bones
    with lower scores are paler.

    Args:
        clips (Sequence[np.ndarray]): ``(M, T, V, C)`` or ``(T, V, C)`` each, metres, or
            pixels and, as a third, a score; ``C`` is at least 2.
        layout (str | dict | SkeletonLayout): Their skeleton, see :func:`get_layout`.
        turn (float): Rotation of the persons about the vertical in degrees, to show depth.
            Must be 0 in 2-D.
        tall (float): Ratio of height to width of the axes.

    Raises:
        ValueError: If a shape does not fit the layout, all clips are empty, or ``turn`` is
            not 0 for a 2-D layout.
    """

    def __init__(
        self,
        clips: Sequence[np.ndarray],
        layout: str | dict | SkeletonLayout = 'nturgb+d',
        turn: float = 0.0,
        tall: float = 1.25,
    ) -> None:
        self.layout = get_layout(layout)
        self.image = self.layout.coordinates == '2d'
        if turn and self.image:
            raise ValueError(f'turn={turn}: a 2-D skeleton has no depth; leave it out.')
        clips = [as_clip(clip, self.layout) for clip in clips]
        self.scores = [joint_scores(clip, self.image) for clip in clips]
        self.planes = [_project(clip, turn) for clip in clips]
        seen = [p[s > 0] for p, s in zip(self.planes, self.scores, strict=True)]
        everything = np.concatenate(seen)
        if not len(everything):
            raise ValueError(
                f'keypoint of shape {clips[0].shape} holds nobody: '
                'all joints are zero or not finite.'
            )
        self._middle = (everything.min(0) + everything.max(0)) / 2
        # One scale for all frames, such that neither width nor height is cut.
        # Half a width; the axes may be higher than wide.
        half = np.ptp(everything, axis=0) / 2 / (1, tall)
        self._reach = max(1.06 * half.max(), 1e-3)
        self._tall = tall
        self._colours = np.array([to_rgba(c) for c in bone_colours(self.layout)])

    @property
    def num_frames(self) -> int:
        """Frames of the longest clip."""
        return max(plane.shape[1] for plane in self.planes)

    def draw(
        self,
        axes: Axes,
        clip: int,
        frame: int,
        masked: np.ndarray | None = None,
        dropped: Collection[tuple[int, int]] = (),
        added: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Draw one frame; what the axes held before is removed.

        Args:
            axes (Axes): Where to draw.
            clip (int): Which of the clips.
            frame (int): Which frame; the last one of a clip that is shorter.
            masked (np.ndarray, optional): bool ``(V,)``: joints to draw as hollow
                circles, their bones faint.
            dropped (Collection[tuple[int, int]]): Bones (child, parent) to draw dashed.
            added (Iterable[tuple[int, int]]): Pairs of joints to join by a thin line.
        """
        axes.clear()
        plane, score = self.planes[clip], self.scores[clip]
        frame = min(frame, plane.shape[1] - 1)
        masked = np.zeros(plane.shape[2], bool) if masked is None else masked
        bones = np.array(self.layout.bones).reshape(-1, 2)
        off = np.array([tuple(b) in dropped for b in bones.tolist()], bool)
        for person, known in zip(plane[:, frame], score[:, frame], strict=True):
            there = (known[bones] > 0).all(-1)
            colours = self._colours.copy()
            colours[:, 3] = np.clip(known[bones].min(-1), 0.15, 1)
            colours[masked[bones].any(-1), 3] *= _FAINT
            for these, style, width in (
                (there & ~off, 'solid', 1.8),
                (there & off, (0, (1.5, 1.5)), 1.2),
            ):
                axes.add_collection(
                    LineCollection(
                        person[bones[these]],
                        colors=colours[these],
                        linewidths=width,
                        linestyles=[style],
                        capstyle='round' if style == 'solid' else 'butt',
                    )
                )
            pairs = [p for p in added if known[list(p)].min() > 0]
            if pairs:
                axes.add_collection(
                    LineCollection(
                        person[np.array(pairs)],
                        colors=COLOURS['added'],
                        linewidths=0.7,
                        alpha=0.6,
                        zorder=0.5,
                    )
                )
            circles = person[masked & (known > 0)]
            axes.scatter(
                circles[:, 0],
                circles[:, 1],
                s=16,
                facecolor='white',
                edgecolor='k',
                lw=0.9,
                zorder=3,
            )
        reach, middle = self._reach, self._middle
        right, up = (1, -1) if self.image else (-1, 1)
        axes.set_xlim(middle[0] - right * reach, middle[0] + right * reach)
        tall = self._tall * reach
        axes.set_ylim(middle[1] - up * tall, middle[1] + up * tall)
        axes.set_aspect('equal')
        axes.set_axis_off()


def add_legend(
    figure: Figure, masked: bool = False, dropped: bool = False, added: bool = False
) -> None:
    """Add a legend of what a :class:`Stage` draws: sides, and what else there is."""
    parts: list[tuple[bool, str, dict[str, Any]]] = [
        (True, 'left', dict(color=COLOURS['left'], lw=1.8)),
        (True, 'right', dict(color=COLOURS['right'], lw=1.8)),
        (True, 'middle', dict(color=COLOURS['middle'], lw=1.8)),
        (masked, 'masked joint', dict(ls='', marker='o', mfc='white', mec='k', ms=4.5)),
        (dropped, 'dropped edge', dict(color='k', lw=1.2, ls=(0, (1.5, 1.5)))),
        (added, 'added edge', dict(color=COLOURS['added'], lw=0.8)),
    ]
    handles = [
        Line2D([], [], label=label, **style) for shown, label, style in parts if shown
    ]
    figure.legend(
        handles=handles, loc='lower center', ncols=len(handles), frameon=False,
        fontsize=8, borderpad=0.2, columnspacing=1.5,
    )  # fmt: skip


def draw_clip(
    keypoint: np.ndarray,
    path: str | Path,
    layout: str | dict | SkeletonLayout = 'nturgb+d',
    num_frames: int = 8,
    title: str | None = None,
    frame_size: float = 2.0,
    dpi: int = 100,
    below: Sequence[tuple[np.ndarray, str | dict | SkeletonLayout]] = (),
) -> None:
    """Draw a clip as a row of stick figures and save it as a picture.

    Frames are taken evenly from the first to the last, and drawn as :class:`Stage`
    does.

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
            dpi`` by ``1.25 * frame_size * dpi`` pixels a row.
        below (Sequence[tuple]): Clips of as many frames, each with its layout, for
            further rows.

    Raises:
        ValueError: If the shape does not fit the layout, or the clip is empty,
            or ``num_frames`` is not positive.
    """
    if num_frames < 1:
        raise ValueError(f'num_frames={num_frames} draws nothing; use 1 or more.')
    stages = [Stage([x], of, tall=_TALL) for x, of in [(keypoint, layout), *below]]
    total = stages[0].num_frames
    shown = np.linspace(0, total - 1, min(num_frames, total)).round()
    size = (frame_size * len(shown), 1.25 * frame_size * len(stages))
    figure = Figure(figsize=size, dpi=dpi)
    if title:
        figure.suptitle(title, fontsize=10)
    width, height = 1 / len(shown), 1 / len(stages)
    for row, stage in enumerate(stages):
        bottom = 1 - (row + 0.93) * height
        for column, frame in enumerate(shown.astype(int)):
            axes = figure.add_axes((column * width, bottom, width, 0.83 * height))
            stage.draw(axes, 0, frame)
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


def animate_clips(
    clips: Sequence[np.ndarray],
    path: str | Path,
    layout: str | dict | SkeletonLayout = 'nturgb+d',
    titles: Sequence[str] = (),
    fps: float = 15,
    size: float = 2.4,
    dpi: int = 100,
) -> None:
    """Draw clips side by side as an animated GIF.

    Args:
        clips (Sequence[np.ndarray]): ``(M, T, V, C)`` each, as in :class:`Stage`. A
            shorter one stands still at its end.
        path (str | Path): Where to save it, a ``.gif``.
        layout (str | dict | SkeletonLayout): Their skeleton.
        titles (Sequence[str]): Written above each clip; may have several lines.
        fps (float): Frames per second.
        size (float): Width of each in inches.
        dpi (int): Pixels per inch.

    Raises:
        ValueError: As :class:`Stage`.
    """
    stage = Stage(clips, layout)
    legend, tall = 0.3, 1.25 * size
    top = 0.1 + 0.17 * max((title.count('\n') + 1 for title in titles), default=0)
    height = legend + tall + top
    figure = Figure(figsize=(size * len(clips), height), dpi=dpi)
    add_legend(figure)
    columns = np.arange(len(clips)) / len(clips)
    all_axes = [
        figure.add_axes((left, legend / height, 1 / len(clips), tall / height))
        for left in columns
    ]
    for left, title in zip(columns, titles, strict=False):
        middle = left + 0.5 / len(clips)
        figure.text(middle, 1 - 0.05 / height, title, ha='center', va='top', fontsize=8)
    save_animation(stage, figure, all_axes, path, fps)


def to_pixels(figure: Figure) -> np.ndarray:
    """The picture of a figure, uint8 ``(H, W, 3)``."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_animation(
    stage: Stage,
    figure: Figure,
    all_axes: Sequence[Axes],
    path: str | Path,
    fps: float,
    marks: Callable[[int, int], dict[str, Any]] = lambda clip, frame: {},
) -> None:
    """Draw each clip of a stage in its axes, as an animated GIF that repeats for ever.

    ``marks`` of a clip and a frame are further arguments of :meth:`Stage.draw`.
    """
    pictures = []
    for frame in range(stage.num_frames):
        for clip, axes in enumerate(all_axes):
            stage.draw(axes, clip, frame, **marks(clip, frame))
        pictures.append(Image.fromarray(to_pixels(figure)))
    # Lines on white need few colours; those of the first frame, so that none flickers,
    # and by a method that keeps white white.
    palette = pictures[0].quantize(64, Image.Quantize.MAXCOVERAGE)
    first, *rest = (
        picture.quantize(palette=palette, dither=Image.Dither.NONE)
        for picture in pictures
    )
    first.save(
        path, save_all=True, append_images=rest, duration=1000 / fps, loop=0,
        optimize=True,
    )  # fmt: skip


def as_clip(keypoint: np.ndarray, layout: SkeletonLayout) -> np.ndarray:
    """``(M, T, V, C)``, checked."""
    keypoint = np.asarray(keypoint, dtype=float)
    if keypoint.ndim == 3:
        keypoint = keypoint[None]
    if (
        keypoint.ndim != 4
        or keypoint.shape[2] != layout.num_joints
        or keypoint.shape[3] < 2
    ):
        raise ValueError(
            f'keypoint of shape {keypoint.shape} is not (M, T, V, C) with the '
            f'V={layout.num_joints} joints of layout {layout.name!r}; pass the '
            'layout of this skeleton.'
        )
    return keypoint


def _project(keypoint: np.ndarray, turn: float) -> np.ndarray:
    """Where the joints are in the picture, ``(M, T, V, 2)``."""
    if not turn or keypoint.shape[-1] < 3:
        return keypoint[..., :2]
    x, y, z = np.moveaxis(keypoint[..., :3], -1, 0)
    angle = np.radians(turn)
    return np.stack([x * np.cos(angle) - z * np.sin(angle), y], axis=-1)


def joint_scores(keypoint: np.ndarray, image: bool) -> np.ndarray:
    """Score of each joint, 0 where it is absent, ``(M, T, V)``."""
    finite = np.isfinite(keypoint).all(-1)
    keypoint = np.nan_to_num(keypoint)
    if not image:
        score = (keypoint != 0).any((-2, -1))[..., None]
    elif keypoint.shape[-1] > 2:
        score = keypoint[..., 2]
    else:  # trackers put at the origin what they did not see
        score = (keypoint != 0).any(-1)
    return np.where(finite, score, 0).astype(float)


def bone_colours(layout: SkeletonLayout) -> list:
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
