"""Pictures of the growing views of a clip."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.dataset import default_collate
from torch import nn

from ..datasets.randomness import draws_taken_back
from ..models.modules import bare_model
from ..skeleton import SkeletonLayout
from .skeletons import Stage, add_legend, save_animation

_LEGEND = 0.3  # inches
_TALL = 1.25


@dataclass(frozen=True)
class View:
    """A view as the model gets it, before the stream is made.

    Attributes:
        name (str): ``'key'``, ``'query 1'``, ...
        keypoint (np.ndarray): ``(M, T, V, C)``, aligned.
        applied (tuple[str]): The transforms that changed it, in order.
        mask (np.ndarray | None): bool ``(T, V)``, true where the model puts the mask's
            value.
        dropped (frozenset[tuple[int, int]]): Bones (child, parent) that have no edge,
            one way at least, in the first layer.
        added (frozenset[tuple[int, int]]): Pairs of joints that get one there.
    """

    name: str
    keypoint: np.ndarray
    applied: tuple[str, ...]
    mask: np.ndarray | None = None
    dropped: frozenset[tuple[int, int]] = frozenset()
    added: frozenset[tuple[int, int]] = frozenset()


def sample_views(
    dataset: Any, model: nn.Module, index: int = 0, seed: int = 0
) -> list[View]:
    """Make the views of one clip as pre-training does.

    The draws depend only on the seed; no generator is changed.

    Args:
        dataset: The training set, built.
        model (nn.Module): A learner, built. Its data preprocessor makes the views and
            mixes statistics (the style is the next clip's); its ``edge_perturbation``,
            where it has one, drops and adds edges.
        index (int): Which clip.
        seed (int): Names the draws.

    Returns:
        list[View]: The key, then the queries, weakest first.

    Raises:
        ValueError: If there is no such clip, or nothing makes views.
    """
    model = bare_model(model)
    preprocessor = getattr(model, 'data_preprocessor', None)
    if not hasattr(preprocessor, 'sample_views'):
        raise ValueError(
            f'the model {type(model).__name__} has no data preprocessor with views, such '
            'as SkeletonViewPreprocessor; give a config of pre-training.'
        )
    if not 0 <= index < len(dataset):
        raise ValueError(
            f'index={index}: the training set has clips 0 to {len(dataset) - 1}.'
        )
    with draws_taken_back():
        torch.manual_seed(seed)
        clips = [dataset[i % len(dataset)]['inputs'] for i in (index, index + 1)]
        views, applied = preprocessor.sample_views(  # type: ignore[union-attr]
            default_collate(clips)
        )
        queries, masks = views['queries'], views.get('mask')
        if not isinstance(masks, list):  # of the last query
            masks = [None] * (len(queries) - 1) + [masks]
        out = [View('key', views['key'][0].cpu().numpy(), tuple(applied[0]))]
        for level, (query, mask) in enumerate(zip(queries, masks, strict=True)):
            edges = _edges(model, level, len(queries))
            out.append(
                View(
                    f'query {level + 1}',
                    query[0].cpu().numpy(),
                    (*applied[level + 1], *edges.pop('names')),
                    None if mask is None else mask[0].cpu().numpy(),
                    **edges,
                )
            )
    return out


def draw_views(
    views: Sequence[View],
    layout: SkeletonLayout,
    num_frames: int = 6,
    title: str | None = None,
    turn: float = 0.0,
    frame_size: float = 1.0,
) -> Figure:
    """Draw views one above the other, each as a row of frames.

    Args:
        views (Sequence[View]): As :func:`sample_views` gives them.
        layout (SkeletonLayout): Their skeleton.
        num_frames (int): Frames of each view, evenly from the first to the last.
        title (str, optional): Written above.
        turn (float): Degrees to turn the persons about the vertical, see :class:`Stage`.
        frame_size (float): Width of one frame in inches.

    Returns:
        Figure: To be saved by its ``savefig``.

    Raises:
        ValueError: If ``num_frames`` is not positive.
    """
    if num_frames < 1:
        raise ValueError(f'num_frames={num_frames} draws nothing; use 1 or more.')
    stage = Stage([view.keypoint for view in views], layout, turn, _TALL)
    frames = np.linspace(0, stage.num_frames - 1, min(num_frames, stage.num_frames))
    label, tall, top = 1.9, _TALL * frame_size, 0.3 if title else 0.05
    width = label + frame_size * len(frames)
    height = top + tall * len(views) + 0.2 + _LEGEND
    figure = Figure(figsize=(width, height), dpi=120)
    if title:
        figure.text(0.5, 1 - 0.06 / height, title, ha='center', va='top', fontsize=10)
    for row, view in enumerate(views):
        up = height - top - tall * (row + 1)
        _write_names(figure, view, 0.08 / width, (up + 0.97 * tall) / height, 29)
        for column, frame in enumerate(frames.round().astype(int)):
            left = (label + column * frame_size) / width
            axes = figure.add_axes(
                (left, up / height, frame_size / width, tall / height)
            )
            stage.draw(axes, row, frame, **_marks(view, frame))
            if row == len(views) - 1:
                axes.text(
                    0.5, -0.05, f'frame {frame}', transform=axes.transAxes, ha='center',
                    va='top', fontsize=7, color='0.4',
                )  # fmt: skip
    _add_legend(figure, views)
    return figure


def animate_views(
    views: Sequence[View],
    layout: SkeletonLayout,
    path: str | Path,
    title: str | None = None,
    turn: float = 0.0,
    fps: float = 10,
    frame_size: float = 1.9,
) -> None:
    """Draw views side by side as an animated GIF.

    Args:
        views, layout, title, turn: As in :func:`draw_views`.
        path (str | Path): Where to save it, a ``.gif``.
        fps (float): Frames per second.
        frame_size (float): Width of one view in inches.
    """
    stage = Stage([view.keypoint for view in views], layout, turn, _TALL)
    tall, top, names = _TALL * frame_size, 0.3 if title else 0.05, 1.15
    width, height = frame_size * len(views), top + names + tall + _LEGEND
    figure = Figure(figsize=(width, height), dpi=80)
    if title:
        figure.text(0.5, 1 - 0.06 / height, title, ha='center', va='top', fontsize=10)
    all_axes = []
    for column, view in enumerate(views):
        left = column / len(views)
        _write_names(figure, view, left + 0.08 / width, 1 - top / height, 30)
        all_axes.append(
            figure.add_axes((left, _LEGEND / height, 1 / len(views), tall / height))
        )
    _add_legend(figure, views)
    save_animation(
        stage,
        figure,
        all_axes,
        path,
        fps,
        lambda view, frame: _marks(views[view], frame),
    )


def _marks(view: View, frame: int) -> dict[str, Any]:
    """Masked joints, dropped and added edges, as :meth:`Stage.draw` takes them."""
    masked = None if view.mask is None else view.mask[frame]
    return dict(masked=masked, dropped=view.dropped, added=view.added)


def _write_names(figure: Figure, view: View, x: float, y: float, width: int) -> None:
    figure.text(x, y, view.name, va='top', fontsize=9, weight='bold')
    names = textwrap.fill(', '.join(view.applied) or 'unchanged', width)
    below = 0.19 / figure.get_figheight()
    figure.text(x, y - below, names, va='top', fontsize=7, color='0.25')


def _add_legend(figure: Figure, views: Sequence[View]) -> None:
    add_legend(
        figure,
        masked=any(view.mask is not None for view in views),
        dropped=any(view.dropped for view in views),
        added=any(view.added for view in views),
    )


def _edges(model: Any, level: int, num_levels: int) -> dict[str, Any]:
    """Names, dropped bones and added pairs of one draw for the first layer."""
    perturbation = getattr(model, 'edge_perturbation', None)
    if perturbation is None or not perturbation.acts_on(level, num_levels):
        return dict(names=())
    if not perturbation.names:
        # An attention's edges are of the clip's features, not of the skeleton.
        return dict(names=('DropEdges, AddEdges of the attention (not drawn)',))
    A = dict(model.backbone.named_parameters())
    A.update(model.backbone.named_buffers())
    before = A[perturbation.names[0]].detach().cpu()
    after = perturbation.perturb(before)
    joints = before.shape[-1]
    had, has = (a.reshape(-1, joints, joints) != 0 for a in (before, after))
    lost, new = (had & ~has).any(0), ~had.any(0) & has.any(0)
    lost, new = lost | lost.T, new | new.T
    layout = model.data_preprocessor.layout
    return dict(
        names=('DropEdges, AddEdges',),
        dropped=frozenset(bone for bone in layout.bones if lost[bone]),
        added=frozenset(map(tuple, new.triu(1).nonzero().tolist())),
    )
