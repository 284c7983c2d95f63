"""SkeleAdaIN over a batch of views."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from ...skeleton import SkeletonLayout
from ...skeleton.augment import ada_in, on_coordinates
from ...views.generator import to_device
from .absent_persons import present_persons
from .levels import check_levels


class SkeleAdaIN:
    """SkeleAdaIN over a batch: each clip takes the statistics of the next one.

    Args:
        dims (str): ``'TV'`` or ``'V'``, as in :func:`.augment.ada_in`.
        levels (Sequence[int]): Query levels to change; -1 is the strongest.
        prob (float): Probability with which a clip is changed.
    """

    def __init__(
        self, dims: str = 'TV', levels: Sequence[int] = (-1,), prob: float = 1.0
    ) -> None:
        if dims not in ('TV', 'V'):
            raise ValueError(f"ada_in.dims={dims!r} is unknown; it is 'TV' or 'V'.")
        if not 0 <= prob <= 1:
            raise ValueError(f'ada_in.prob={prob} is not a probability (0 to 1).')
        self.dims = dims
        self.levels = tuple(levels)
        self.prob = prob

    def check_levels(self, num_levels: int) -> None:
        """Raise a ValueError if a level is named that the views lack."""
        check_levels('ada_in.levels', self.levels, num_levels)

    def __call__(
        self,
        queries: Sequence[Tensor],
        layout: SkeletonLayout,
        generator: Generator | None = None,
    ) -> list[Tensor]:
        """Change the views of the chosen levels, ``(N, M, T, V, C)`` each.

        Scores of 2-D skeletons stay the clip's own. The generator is one of the CPU, by
        default torch's own.
        """
        queries = list(queries)
        self.check_levels(len(queries))
        for level in self.levels:
            view = queries[level]
            style = view.roll(1, dims=0)
            # An absent person has no statistics: it neither takes nor gives any.
            present = present_persons(view)
            chosen = present & present.roll(1, dims=0)
            draws = torch.rand(len(view), 1, generator=generator)
            chosen &= to_device(draws, view.device) < self.prob

            def mix(x: Tensor, style: Tensor = style) -> Tensor:
                return ada_in(x, style[..., : x.shape[-1]], self.dims)

            mixed = on_coordinates(mix, view, layout.num_axes)
            queries[level] = torch.where(chosen[..., None, None, None], mixed, view)
        return queries
