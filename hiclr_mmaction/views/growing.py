"""Growing augmentation: the key view and the ordered query views of HiCLR."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch
from mmaction.registry import TRANSFORMS
from torch import Generator, Tensor

from ..skeleton import SkeletonLayout
from .generator import worker_generator
from .transform import ShownTransform, SkeletonTransform, clip_of


@TRANSFORMS.register_module()
class GrowingAugmentation(ShownTransform):
    """Make views of growing strength from an ordered list of augmentation sets.

    Query view ``i`` is made by the sets ``0 .. i`` (in the paper: basic; basic and
    normal; basic, normal and strong), the key view by set ``0``. An empty set is
    allowed: its view is another draw of the level below. A set may contain any
    :class:`SkeletonTransform`. Joint masks are returned, not applied, because the model
    fills masked joints with its learnable value.

    :class:`SkeletonViewPreprocessor` makes the views of a batch; as a transform of a
    pipeline this class makes those of one clip.

    Required Keys:

    - keypoint (np.ndarray): ``(M, T, V, C)``, aligned

    Added Keys:

    - views (dict): ``key (M, T, V, C)``, ``queries`` (list of the same) and, where a
      set masks joints, ``mask`` (list with a bool ``(T, V)`` or None per query), tensors

    Args:
        levels (list[list[dict]]): The sets, weakest first; one query level each.
        grown (bool): False, as released: each view is drawn from the clip. True:
            view ``i`` is set ``i`` applied to view ``i - 1``.
        layout (str | dict, optional): The skeleton, for all augmentations that depend on
            it and have none set.

    Raises:
        ValueError: If there is no level, a level holds something other than a
            :class:`SkeletonTransform`, or with ``grown`` a transform reorders joints
            that were masked before.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[dict]],
        grown: bool = False,
        layout: str | dict | SkeletonLayout | None = None,
    ) -> None:
        if not levels:
            raise ValueError(
                'GrowingAugmentation: levels=[] makes no view; write at least one set.'
            )
        self.levels = [
            [_build(t, i, layout) for t in level] for i, level in enumerate(levels)
        ]
        self.grown = grown
        if grown:
            self._check_order()

    @property
    def num_levels(self) -> int:
        """Number of query views."""
        return len(self.levels)

    def _num_views(self, level: int) -> int:
        """How many views a set is drawn for: set 0 for the key as well."""
        if self.grown:
            return 2 if level == 0 else 1
        return self.num_levels - level + (level == 0)

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        """Draw for ``n`` samples.

        Returns:
            dict: ``sets``, for each set a list of what :meth:`SkeletonTransform.sample`
            of its transforms returned.
        """
        return dict(
            sets=[
                [t.sample(n * self._num_views(i), generator) for t in level]
                for i, level in enumerate(self.levels)
            ]
        )

    def apply(self, x: Tensor, sets: list[list[tuple]]) -> dict:
        """Make the views of a batch.

        Args:
            x (Tensor): Aligned clips ``(N, M, T, V, C)``.
            sets (list): From :meth:`draw`.

        Returns:
            dict: ``key (N, M, T, V, C)``, ``queries`` (a list of the same, weakest
            first) and, where a set masks joints, ``mask`` (a list with a bool
            ``(N, T, V)`` or None per query).
        """
        # A set is applied to all the views that it makes as to one batch.
        n = len(x)
        views = torch.cat([x] * self._num_views(0))
        mask: Tensor | None = None
        queries: list[Tensor] = []
        masks: list[Tensor | None] = []
        for i, (level, drawn) in enumerate(zip(self.levels, sets, strict=True)):
            for t, (rows, draws) in zip(level, drawn, strict=True):
                changed = t.change(views, rows, draws)
                if not t.masks_joints:
                    views = changed
                else:
                    mask = changed if mask is None else mask | changed
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

    def applied(self, n: int, sample: int, sets: list[list[tuple]]) -> list[list[str]]:
        """Describe the transforms of a sample.

        Args:
            n (int): Number of samples that were drawn for.
            sample (int): Index of the sample.
            sets (list): From :meth:`draw`.

        Returns:
            list[list[str]]: Of the key, then of each query: the transforms that changed
            it, in order, with their draws.
        """
        out = []
        for view in range(-1, self.num_levels):
            done: list[str] = []
            for i in range(max(view, 0) + 1):
                # The place of this view among those that the set is applied to.
                place = min(view, i) - i if self.grown else view - i
                row = (place + (i == 0)) * n + sample
                for t, (rows, draws) in zip(self.levels[i], sets[i], strict=True):
                    chosen = [row] if rows is None else (rows == row).nonzero()
                    if len(chosen):
                        done.append(_describe(t, draws, int(chosen[0])))
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
        """Make the views of one clip of a pipeline."""
        self.check_coordinates(results.get('coordinates'))
        x = clip_of(results).unsqueeze(0)
        views = self.apply(x, **self.draw(1, worker_generator()))
        results['views'] = {
            name: value[0]
            if isinstance(value, Tensor)
            else [None if v is None else v[0] for v in value]
            for name, value in views.items()
        }
        return results

    def _check_order(self) -> None:
        masked = False
        for i, level in enumerate(self.levels):
            for t in level:
                if masked and t.reorders_joints:
                    raise ValueError(
                        f'GrowingAugmentation: with grown=True, {type(t).__name__} in '
                        f'level {i} would reorder the joints under a mask made before '
                        'it; put the mask after it, or set grown=False.'
                    )
                masked = masked or t.masks_joints


def pack_views(views: dict) -> dict:
    """Views with their masks as they are collated.

    Returns:
        dict: ``mask`` is the last view's where only that one has one, else a list with
        one for each query (false where there is none).
    """
    if 'mask' not in views:
        return dict(views)
    *weaker, last = views['mask']
    if all(mask is None for mask in weaker):
        return dict(views, mask=last)
    masks = [torch.zeros_like(last) if m is None else m for m in views['mask']]
    return dict(views, mask=masks)


def _build(
    cfg: dict | SkeletonTransform,
    level: int,
    layout: str | dict | SkeletonLayout | None,
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


def _describe(transform: SkeletonTransform, draws: dict, row: int) -> str:
    """Name of a transform and what was drawn for a row, where that is short."""
    words = []
    for name, value in draws.items():
        if isinstance(value, Tensor) and value[row].numel() <= 3:
            numbers = value[row].flatten().tolist()
            words.append(f'{name} ' + ' '.join(f'{number:.2g}' for number in numbers))
    name = type(transform).__name__.removeprefix('Skeleton')
    # An axis is a coordinate.
    drawn = ', '.join(words).replace('axis 0', 'x').replace('axis 1', 'y')
    drawn = drawn.replace('axis 2', 'z')
    return f'{name} ({drawn})' if drawn else name
