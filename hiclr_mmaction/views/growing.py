"""Growing augmentation: the key view and the ordered query views of HiCLR."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from torch import Generator, Tensor

from .augmentations import (
    SkeletonJointMask,
    SkeletonMirror,
    SkeletonTemporalCrop,
    SkeletonTimeFlip,
)
from .transform import SkeletonTransform, worker_generator


@TRANSFORMS.register_module()
class GrowingAugmentation(BaseTransform):
    """Make views of growing strength from an ordered list of augmentation sets.

    Query view ``i`` is made by the sets ``0 .. i`` (in the paper: basic; basic and
    normal; basic, normal and strong), the key view by set ``0``. An empty set is
    allowed: its view is another draw of the level below. A set may hold any
    :class:`SkeletonTransform`. Masks of :class:`SkeletonJointMask` are not applied
    but handed on, for the model's learnable value.

    Required Keys:

    - keypoint (np.ndarray): ``(M, T, V, C)``, aligned

    Added Keys:

    - views (dict): ``key (M, T, V, C)``, ``queries`` (list of the same) and, where a
      set masks joints, ``mask`` (list with a bool ``(T, V)`` or None a query), tensors;
      with ``in_collate`` a :class:`DrawnViews`

    Args:
        levels (list[list[dict]]): The sets, weakest first; one query level each.
        grown (bool): False, as released: each view is drawn anew from the clip. True:
            view ``i`` is set ``i`` applied to view ``i - 1``.
        layout (str | dict, optional): The skeleton, for all augmentations that depend on
            it and do not name one of their own.
        in_collate (bool): Whether a pipeline only draws the views, by the generator of
            the sample, and leaves the making to ``collate_fn=dict(type='views_collate')``,
            which makes those of a batch at once: in a third of the time. Draws must then
            be tensors with one row a sample.

    Raises:
        ValueError: If there is no level, or something other than a skeleton
            augmentation in one.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[dict]],
        grown: bool = False,
        layout: str | dict | None = None,
        in_collate: bool = False,
    ) -> None:
        if not levels:
            raise ValueError(
                'GrowingAugmentation: levels=[] makes no view; write at least one set.'
            )
        self.levels = [
            [_build(t, i, layout) for t in level] for i, level in enumerate(levels)
        ]
        self.grown = grown
        self.in_collate = in_collate
        if grown:
            self._check_nothing_moves_masks()

    @property
    def num_levels(self) -> int:
        """Number of query views."""
        return len(self.levels)

    def _views_of_set(self, level: int) -> int:
        """How many views a set is drawn for: set 0 for the key as well."""
        if self.grown:
            return 2 if level == 0 else 1
        return self.num_levels - level + (level == 0)

    def draw(
        self,
        n: int,
        generator: Generator | None = None,
        shape: Sequence[int] | None = None,
    ) -> dict:
        """Draw for ``n`` samples; ``sets`` holds the draws of every transform.

        ``shape`` is that of a clip, see :meth:`SkeletonTransform.draw`.
        """
        return dict(
            sets=[
                [t.draw(n * self._views_of_set(i), generator, shape) for t in level]
                for i, level in enumerate(self.levels)
            ]
        )

    def apply(self, x: Tensor, sets: list[list[dict]]) -> dict:
        """Make the views of a batch.

        Args:
            x (Tensor): Aligned clips ``(N, M, T, V, C)``.
            sets (list): Draws of :meth:`draw`.

        Returns:
            dict: ``key (N, M, T, V, C)``, ``queries`` (a list of the same, weakest
            first) and, where a set masks joints, ``mask`` (a list with a bool
            ``(N, T, V)`` or None a query).
        """
        # A set is applied to all the views that it is for as to one batch.
        n = x.shape[0]
        views = x
        if not self._crops_first(sets):
            views = torch.cat([x] * self._views_of_set(0))
        mask: Tensor | None = None
        queries: list[Tensor] = []
        masks: list[Tensor | None] = []
        key = x
        for i, (level, draws) in enumerate(zip(self.levels, sets, strict=True)):
            for t, drawn in zip(level, draws, strict=True):
                if isinstance(t, SkeletonJointMask):
                    new = t.mask(views, **drawn)
                    mask = new if mask is None else mask | new
                else:
                    views = t.apply(views, **drawn)
            if i == 0:
                key, views = views[:n], views[n:]
                # The key is never masked: its encoder has no use for the value.
                mask = None if mask is None else mask[n:]
            queries.append(views[:n])
            masks.append(None if mask is None else mask[:n])
            if not self.grown:
                views = views[n:]
                mask = None if mask is None else mask[n:]
        out = dict(key=key, queries=queries)
        if masks[-1] is not None:
            out['mask'] = masks
        return out

    def _crops_first(self, sets: list[list[dict]]) -> bool:
        """Whether the first thing done is to crop all clips, which makes the copies."""
        first = next(iter(self.levels[0]), None)
        return isinstance(first, SkeletonTemporalCrop) and 'chosen' not in sets[0][0]

    def piece_size(self, x: Tensor) -> int:
        """How many of the clips ``x`` a CPU best makes views of at a time.

        Larger pieces leave the caches, and each step is given new pages of memory to
        write to: for a batch of 128 that takes as long again as the augmentations do.
        """
        views = (self.num_levels + 1) * x.shape[1:].numel()
        return max(1, 2**20 // views)

    def applied(
        self, n: int, sample: int, sets: list[list[dict]]
    ) -> list[list[SkeletonTransform]]:
        """Which transforms change a sample under given draws.

        Args:
            n (int): Number of samples that the draws are for.
            sample (int): Which of them.
            sets (list): Draws of :meth:`draw`.

        Returns:
            list[list[SkeletonTransform]]: Of the key, then of each query, in order.
        """
        out = []
        for view in range(-1, self.num_levels):
            done: list[SkeletonTransform] = []
            for i in range(max(view, 0) + 1):
                # The place of this view among those that the set is applied to.
                place = min(view, i) - i if self.grown else view - i
                row = (place + (i == 0)) * n + sample
                done += [
                    t
                    for t, drawn in zip(self.levels[i], sets[i], strict=True)
                    if 'chosen' not in drawn or bool(drawn['chosen'][row])
                ]
            out.append(done)
        return out

    def check_coordinates(
        self, coordinates: str | None, giver: str = 'SkeletonAlign'
    ) -> None:
        """:meth:`SkeletonTransform.check_coordinates` of every augmentation."""
        for level in self.levels:
            for t in level:
                t.check_coordinates(coordinates, giver)

    def transform(self, results: dict) -> dict:
        """Make the views of one sample of a pipeline."""
        self.check_coordinates(results.get('coordinates'))
        x = torch.from_numpy(
            np.ascontiguousarray(results['keypoint'], np.float32)
        ).unsqueeze(0)
        draws = self.draw(1, worker_generator())
        if self.in_collate:
            results['views'] = DrawnViews(self, x, **draws)
            return results
        views = self.apply(x, **draws)
        results['views'] = {
            name: value[0]
            if isinstance(value, Tensor)
            else [None if v is None else v[0] for v in value]
            for name, value in views.items()
        }
        return results

    def _check_nothing_moves_masks(self) -> None:
        masked = False
        for i, level in enumerate(self.levels):
            for t in level:
                if masked and isinstance(
                    t, SkeletonTemporalCrop | SkeletonMirror | SkeletonTimeFlip
                ):
                    raise ValueError(
                        f'GrowingAugmentation: with grown=True, {type(t).__name__} in '
                        f'level {i} would move the joints under a mask made before it; '
                        'put SkeletonJointMask after it, or set grown=False.'
                    )
                masked = masked or isinstance(t, SkeletonJointMask)

    def __repr__(self) -> str:
        return (
            f'GrowingAugmentation(levels={self.levels}, grown={self.grown}, '
            f'in_collate={self.in_collate})'
        )


@dataclass(frozen=True)
class DrawnViews:
    """Views of one clip that are drawn, and not made yet.

    Attributes:
        growing (GrowingAugmentation): What drew them, and makes them.
        clip (Tensor): ``(1, M, T, V, C)``.
        sets (list): Its draws.
    """

    growing: GrowingAugmentation
    clip: Tensor
    sets: list[list[dict]]


def make_views(drawn: Sequence[DrawnViews]) -> dict:
    """Make the views of several clips, as :meth:`GrowingAugmentation.apply` gives them.

    Raises:
        ValueError: If they were drawn by different augmentations.
    """
    growing = drawn[0].growing
    others = {id(d.growing): d.growing for d in drawn}.values()
    if len({repr(other) for other in others}) > 1:
        raise ValueError(
            'views_collate: the clips of a batch have different GrowingAugmentations; '
            'make those of all data sets alike, or set in_collate=False.'
        )
    size = growing.piece_size(drawn[0].clip)
    return join_views(
        [_make_piece(drawn[i : i + size]) for i in range(0, len(drawn), size)]
    )


def _make_piece(drawn: Sequence[DrawnViews]) -> dict:
    # A draw has a row for each view; those of a batch go by views, then by samples.
    sets = [
        [
            {
                name: torch.stack([d.sets[i][j][name] for d in drawn], 1).flatten(0, 1)
                for name in draws
            }
            for j, draws in enumerate(level)
        ]
        for i, level in enumerate(drawn[0].sets)
    ]
    return drawn[0].growing.apply(torch.cat([d.clip for d in drawn]), sets)


def join_views(pieces: Sequence[dict]) -> dict:
    """Join what :meth:`GrowingAugmentation.apply` made of the pieces of a batch.

    No view is a part of a larger tensor then, as those of one piece are.
    """

    def join(parts: tuple[Tensor | None, ...]) -> Tensor | None:
        present = [part for part in parts if part is not None]
        return torch.cat(present) if present else None

    return {
        name: join(tuple(piece[name] for piece in pieces))
        if isinstance(value, Tensor)
        else [join(parts) for parts in zip(*(p[name] for p in pieces), strict=True)]
        for name, value in pieces[0].items()
    }


def _build(
    cfg: dict | SkeletonTransform, level: int, layout: str | dict | None
) -> SkeletonTransform:
    if isinstance(cfg, dict) and layout is not None and 'layout' not in cfg:
        kind = TRANSFORMS.get(cfg['type']) if isinstance(cfg['type'], str) else None
        if 'layout' in inspect.signature(kind or cfg['type']).parameters:
            cfg = dict(cfg, layout=layout)
    transform = TRANSFORMS.build(cfg) if isinstance(cfg, dict) else cfg
    if not isinstance(transform, SkeletonTransform):
        raise ValueError(
            f'GrowingAugmentation: {transform!r} in level {level} is not a skeleton '
            'augmentation (a SkeletonTransform, with draw and apply).'
        )
    return transform
