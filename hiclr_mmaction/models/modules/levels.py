"""Query levels of an augmentation."""

from __future__ import annotations

from collections.abc import Sequence


def check_levels(setting: str, levels: Sequence[int], num_levels: int) -> None:
    """Raise a ValueError if the views lack a query level that a setting names."""
    for level in levels:
        if not -num_levels <= level < num_levels:
            raise ValueError(
                f'{setting} names level {level}, but the views have levels 0 to '
                f'{num_levels - 1} (-1 is the strongest).'
            )
