"""Write MMAction2's pose pickle, one clip at a time."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..atomic_write import whole_file


class _Streamed:
    """Pickles as the list of what an iterable gives, none of it kept in memory."""

    def __init__(self, items: Iterable) -> None:
        self.items = items

    def __reduce__(self) -> tuple[Callable, tuple, None, Iterator]:
        return list, (), None, iter(self.items)


def write_pose_pickle(
    path: str | Path,
    annotations: Iterable[Mapping[str, Any]],
    split: Mapping[str, list[str]],
    **head: Any,
) -> None:
    """Write ``dict(split=..., **head, annotations=[...])``, at once or not at all.

    Args:
        path (str | Path): The file.
        annotations (Iterable[dict]): The clips; taken one by one, so that memory does
            not grow with their number.
        split (dict): The names of the clips of each split.
        **head: What else the file tells, such as ``layout`` and ``prepared``.
    """
    with whole_file(path) as temporary, open(temporary, 'wb') as file:
        content = dict(split=dict(split), **head, annotations=_Streamed(annotations))
        dump_streamed(content, file)


def dump_streamed(value: Any, file: BinaryIO) -> None:
    """Pickle without a memo, which would keep every object alive until the end."""
    pickler = pickle.Pickler(file, protocol=5)
    pickler.fast = True
    pickler.dump(value)
