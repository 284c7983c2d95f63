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
    """The CSV, JSON and NPY files of a folder, read by :mod:`.forms`.

    One file is one clip. A subfolder with one JSON file per image, or files named
    ``NAME_000012.json`` or ``NAME_000012_keypoints.json``, are also one clip.

    Args:
        folder, labels, val_subjects: As in :class:`LabelledFolder`.
        layout (str | dict): The skeleton.
        max_frames (int, optional): Longer clips are skipped.
        **options: Of :class:`.forms.Options`: ``num_person``, ``image_size``, ``axes``,
            ``channels``, ``ignore_columns``, ``refuse_missing``.

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
        max_frames: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(folder, labels, val_subjects)
        self.layout = layout
        self.max_frames = max_frames
        self._options = Options(get_layout(layout), **options)
        self.num_person = self._options.num_person

    def settings(self) -> dict[str, Any]:
        """The settings of the base class, and the options of the readers."""
        return {**vars(self._options), **super().settings()}

    def files(self) -> list[tuple[str, list[Path]]]:
        """Files as in the base class, with the image files of a clip grouped."""

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
        """Read the file, or the image files, of a clip."""
        (first, *others) = paths
        read = (
            read_images(paths, self._options)
            if others
            else read_form(first, self._options)
        )
        return read.sample(self._options)
