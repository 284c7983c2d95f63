"""Custom files: CSV, JSON or NPY, one file per clip or one file per image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ..skeleton import get_layout
from .forms import (
    READERS,
    Options,
    is_image,
    read_form,
    read_images,
)
from .labelled_folder import LabelledFolder

_IMAGE = re.compile(r'(.*?)[ _-]?(\d+)((?:_keypoints)?)')


class CustomConverter(LabelledFolder):
    """The CSV, JSON and NPY files of a folder; :mod:`.forms` reads them.

    A subfolder of JSON files of one image each, or files called
    ``NAME_000012.json`` or ``NAME_000012_keypoints.json``, is one clip.

    Args:
        folder, labels, val_subjects: As in :class:`LabelledFolder`.
        layout (str | dict): The skeleton.
        image_size (Sequence[float], optional): Width and height of the picture, if
            the coordinates are parts of them, 0 to 1, as MediaPipe's are.
        num_person (int): Persons kept, those with the most score.
        max_frames (int, optional): Longer clips are left out.
        axes, ignore_columns, refuse_missing, channels: As in :class:`.forms.Options`.

    Raises:
        ValueError: If a setting is out of range.
    """

    suffixes = tuple(READERS)
    find_orientation = True

    def __init__(
        self,
        folder: str | Path,
        labels: str | Path | None = None,
        val_subjects: Sequence[str] = (),
        layout: str | dict = 'nturgb+d',
        image_size: Sequence[float] | None = None,
        num_person: int = 2,
        max_frames: int | None = None,
        axes: str | None = None,
        ignore_columns: Sequence[str] = (),
        refuse_missing: bool = False,
        channels: str | None = None,
    ) -> None:
        super().__init__(folder, labels, val_subjects)
        self.layout = layout
        self.image_size = None if image_size is None else list(image_size)
        self.num_person = num_person
        self.max_frames = max_frames
        self.axes = axes
        self.channels = channels
        self.ignore_columns = list(ignore_columns)
        self.refuse_missing = refuse_missing
        self._options = Options(
            get_layout(layout),
            num_person,
            self.image_size,
            axes,
            channels,
            self.ignore_columns,
            refuse_missing,
        )

    def files(self) -> list[tuple[str, list[Path]]]:
        """Files as of the base class; those of the images of a clip together."""

        def group(named: tuple[str, list[Path]]) -> tuple:
            (path,) = named[1]
            image = _IMAGE.fullmatch(path.stem)
            if path.suffix.lower() != '.json' or image is None:
                return path.parent, str(path), ''
            return path.parent, image[1], image[3]

        found = sorted(super().files(), key=lambda named: (*group(named), named[0]))
        out = []
        for (folder, prefix, _), members in groupby(found, group):
            clips = list(members)
            paths = [path for _, (path,) in clips]
            answers = (is_image(path) for path in paths[:20])
            if len(paths) > 1 and next((a for a in answers if a is not None), False):
                own = folder.relative_to(self.folder)
                name = (own / prefix if prefix else own).as_posix()
                paths.sort(key=lambda path: int(re.findall(r'\d+', path.stem)[-1]))
                out.append((name if name != '.' else folder.resolve().name, paths))
            else:
                out += clips
        return sorted(out)

    def read_files(self, paths: Sequence[Path]) -> dict[str, Any]:
        """Read the file, or the files of the images, of a clip."""
        (first, *others) = paths
        read = (
            read_images(paths, self._options)
            if others
            else read_form(first, self._options)
        )
        return read.sample(self._options)
