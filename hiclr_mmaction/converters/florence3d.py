"""Florence 3D Actions, the text file of its authors.

L. Seidenari et al., CVPR Workshops 2013. ``Florence_dataset_WorldCoordinates.txt`` has a
line ``video actor action x1 y1 z1 ... z15`` for each frame, millimetres.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .converter import Clip, stamp
from .named_folder import SetFolder, label_of, one_person, read_numbers

ACTIONS = (
    'wave', 'drink from a bottle', 'answer phone', 'clap', 'tight lace', 'sit down',
    'stand up', 'read watch', 'bow',
)  # fmt: skip
FILE = 'Florence_dataset_WorldCoordinates.txt'


class Florence3DConverter(SetFolder):
    """The clips of the file, called ``a01_s02_id003`` (action, subject, video).

    Args:
        path (str | Path): The file, or the folder that it is in.
        max_frames (int, optional): Longer clips are skipped.
    """

    layout = 'openni15'
    leaves_one_out = True
    num_person = 1
    classes = ACTIONS

    def __init__(self, path: str | Path, max_frames: int | None = None) -> None:
        self.path = str(Path(path, FILE) if Path(path).is_dir() else path)
        self.max_frames = max_frames

    def clips(self) -> Iterator[Clip]:
        """One clip per video, sorted by name."""
        if not Path(self.path).is_file():
            raise FileNotFoundError(f'{self.path} does not exist; put the file there.')
        try:
            keys = _rows(stamp(self.path))[:, :3]
        except ValueError as error:
            raise ValueError(f'{self.path}: {error}') from error
        if not (keys == keys.round()).all() or (abs(keys) > 1e6).any():
            raise ValueError(
                f'{self.path} is not {FILE}: its lines should begin with the numbers of '
                'video, actor and action.'
            )
        videos = np.unique(keys.astype(int), axis=0)[:, [2, 1, 0]].tolist()
        for action, actor, video in sorted(videos):
            name = f'a{action:02d}_s{actor:02d}_id{video:03d}'
            yield Clip(name, (self.path,), (video, actor, action))

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read the lines of a video."""
        video, actor, action = clip.part
        label = label_of(action, dict(enumerate(ACTIONS, 1)))
        rows = _rows(stamp(self.path))
        rows = rows[(rows[:, :3] == [video, actor, action]).all(axis=1), 3:]
        return dict(
            one_person(rows.reshape(-1, 15, 3)),
            label=label,
            subject=actor,
            scale=0.001,
        )


@lru_cache(maxsize=1)
def _rows(state: tuple) -> np.ndarray:
    return read_numbers(state[0], 48)
