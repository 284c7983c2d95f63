"""UTKinect-Action3D, the text files of its authors.

L. Xia, C. Chen, J. Aggarwal, CVPR Workshops 2012. A file ``joints_s01_e02.txt`` (subject,
take) has a line ``frame x1 y1 z1 ... z20`` for each frame, metres. ``actionLabel.txt`` has
for each of them the line ``s01_e02`` and lines ``walk: 252 390``, the first and last frame
of an action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .converter import Clip, stamp
from .named_folder import SetFolder, one_person, read_numbers

# By their names in the label file.
ACTIONS = dict(
    walk='walk', sitDown='sit down', standUp='stand up', pickUp='pick up', carry='carry',
    throw='throw', push='push', pull='pull', waveHands='wave hands',
    clapHands='clap hands',
)  # fmt: skip


class UTKinectConverter(SetFolder):
    """The actions of the recordings, called ``a01_s02_e03`` (action, subject, take).

    Duplicate frames and frames without a person are dropped.
    """

    layout = 'kinect20'
    leaves_one_out = True
    num_person = 1
    classes = tuple(ACTIONS.values())

    def clips(self) -> Iterator[Clip]:
        """The actions of the label file, sorted by name."""
        label_files = sorted(Path(self.folder).rglob('actionLabel*.txt'))
        if not label_files:
            raise FileNotFoundError(
                f'{self.folder} has no actionLabel.txt; put it beside the recordings.'
            )
        recordings = {p.stem: p for p in Path(self.folder).rglob('joints_s*_e*.txt')}
        labels = _read_labels(label_files[0])
        for (action, video), (first, last) in sorted(labels.items()):
            path = recordings.get(f'joints_{video}')
            file = path or Path(self.folder, f'joints_{video}.txt')
            yield Clip(f'a{action:02d}_{video}', (str(file),), (action, first, last))

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read the frames of an action."""
        action, first, last = clip.part
        subject, take = map(int, re.findall(r'[se](\d\d)', clip.id))
        if first > last:
            raise ValueError(f'empty interval: frames {first} to {last}')
        rows = _rows(stamp(clip.files[0]))
        rows = rows[(rows[:, 0] >= first) & (rows[:, 0] <= last)]
        if not len(rows):
            raise ValueError(f'interval outside the recording: {first} to {last}')
        _, once = np.unique(rows[:, 0], return_index=True)
        out = one_person(rows[once, 1:].reshape(-1, 20, 3))
        return dict(out, label=action - 1, subject=subject, take=take)


def _read_labels(path: Path) -> dict[tuple[int, str], tuple[int, int]]:
    """First and last frame by action (from 1 on) and recording; no frames are ``NaN``."""
    out = {}
    video = ''
    for line in path.read_text(encoding='utf-8-sig').splitlines():
        name, colon, frames = (part.strip() for part in line.partition(':'))
        if not colon:
            video = name or video
            continue
        numbers = frames.split()
        if name not in ACTIONS or not re.fullmatch(r's\d\d_e\d\d', video):
            raise ValueError(
                f'{path}: {line.strip()[:40]!r} is not an action of a recording; its lines '
                'should be such as s01_e02 and walk: 252 390.'
            )
        if len(numbers) == 2 and all(re.fullmatch(r'\d{1,9}', n) for n in numbers):
            action = 1 + list(ACTIONS).index(name)
            out[action, video] = int(numbers[0]), int(numbers[1])
    return out


@lru_cache(maxsize=32)  # all recordings are 20
def _rows(state: tuple) -> np.ndarray:
    return read_numbers(state[0], 61)
