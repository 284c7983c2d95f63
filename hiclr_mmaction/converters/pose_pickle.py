"""Write MMAction2's pose pickle, one clip at a time."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..atomic_write import whole_file


class _Streamed:
    """Pickles an iterable as a list, without keeping it in memory."""

    def __init__(self, items: Iterable) -> None:
        self.items = items

    def __reduce__(self) -> tuple[Callable, tuple, None, Iterator]:
        return list, (), None, iter(self.items)


class _Deferred:
    """Pickles as the dict that a function returns when it is written."""

    def __init__(self, make: Callable[[], Mapping]) -> None:
        self.make = make

    def __reduce__(self) -> tuple[Callable, tuple]:
        return dict, (dict(self.make()),)


def write_pose_pickle(
    path: str | Path,
    annotations: Iterable[Mapping[str, Any]],
    split: Mapping[str, list[str]] | Callable[[], Mapping[str, list[str]]],
    **head: Any,
) -> None:
    """Write ``dict(**head, annotations=[...], split=...)`` atomically.

    Args:
        path (str | Path): The file.
        annotations (Iterable[dict]): The clips; taken one by one, so that memory does
            not grow with their number.
        split (dict | Callable): The names of the clips of each split, or a function
            that returns them after the last clip was taken.
        **head: Other entries of the file, such as ``layout`` and ``prepared``.
    """
    content = dict(
        head,
        annotations=_Streamed(annotations),
        split=_Deferred(split) if callable(split) else dict(split),
    )
    with whole_file(path) as temporary, open(temporary, 'wb') as file:
        pickler = pickle.Pickler(file, protocol=5)
        # No memo, which would keep every object alive until the end.
        pickler.fast = True
        pickler.dump(content)
