"""The base of heads that weigh the query levels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmengine.model import BaseModule


class LevelHead(BaseModule):
    """Base of heads with a loss for each query level.

    Args:
        level_weights (Sequence[float]): One per query level, weakest first.

    Raises:
        ValueError: If there is none, or one is negative or not finite.
    """

    def __init__(self, level_weights: Sequence[float]) -> None:
        super().__init__()
        self.level_weights = tuple(level_weights)
        if not level_weights or not are_weights(level_weights):
            raise ValueError(
                f'level_weights={self.level_weights}: give one weight, not negative, for '
                'each query level.'
            )

    def check_levels(self, num_levels: int) -> None:
        """Raise a ValueError if there is not one weight for each query level."""
        if num_levels != len(self.level_weights):
            raise ValueError(
                f'level_weights={self.level_weights} weighs {len(self.level_weights)} '
                f'query levels, but the views have {num_levels}; make them match.'
            )


def are_weights(values: Sequence[float]) -> bool:
    """Whether all are finite, and none is negative."""
    return all(0 <= w < math.inf for w in values)
