"""A folder of files of one Kinect v1 skeleton whose names tell what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .converter import Clip, SkeletonConverter


class NamedFolder(SkeletonConverter):
    """Base of the converters whose file names hold action, subject, take, ...

    Args:
        folder (str | Path): Where they are; subfolders count.
        max_frames (int, optional): Longer clips are left out.

    Attributes:
        suffix (str): Of the files, with its dot.
        pattern (re.Pattern): Of their stems; the first group is the clip's name.
    """

    layout = 'kinect20'
    num_person = 1
    suffix: str
    pattern: re.Pattern

    def __init__(self, folder: str | Path, max_frames: int | None = None) -> None:
        self.folder = str(folder)
        self.max_frames = max_frames

    def clips(self) -> Iterator[Clip]:
        """All files whose name tells what they show."""
        for path in sorted(Path(self.folder).rglob(f'*{self.suffix}')):
            if match := self.pattern.fullmatch(path.stem):
                yield Clip(match[1], (str(path),))
