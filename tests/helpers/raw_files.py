"""Small files as the authors of data sets make them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console

from .skeletons import moving_person


def quiet() -> Console:
    """A console that shows nothing."""
    return Console(quiet=True)


def skeleton_text(bodies: dict[str, np.ndarray], frames: int | None = None) -> str:
    """The text of a ``.skeleton`` file.

    Args:
        bodies (dict): By id, ``(T, V, 3)``; a frame whose first joint is NaN has not
            this body.
        frames (int, optional): Number of frames; by default the bodies'.
    """
    if frames is None:
        frames = max(len(joints) for joints in bodies.values())
    lines = [str(frames)]
    for t in range(frames):
        there = {
            name: joints[t]
            for name, joints in bodies.items()
            if t < len(joints) and not np.isnan(joints[t, 0, 0])
        }
        lines.append(str(len(there)))
        for name, joints in there.items():
            lines += [f'{name} 0 1 1 1 1 0 -0.0276 0.0574 2', str(len(joints))]
            for x, y, z in joints:
                lines.append(
                    f'{x} {y} {z} 277.4 191.8 1036.2 519.1 -0.2 0.05 0.9 -0.1 2'
                )
    return '\n'.join(lines) + '\n'


def write_ntu(folder: Path, name: str = 'S001C001P001R001A001', **kwargs) -> Path:
    """Write a ``.skeleton`` file of one body; ``kwargs`` as in :func:`moving_person`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{name}.skeleton'
    path.write_text(skeleton_text({'72057594037931101': moving_person(**kwargs)}))
    return path


def write_pku(folder: Path, name: str = '0002-L', frames: int = 60, rows: str = ''):
    """Write a recording of PKU-MMD and its label file; returns the coordinates."""
    for part in ('skeletons', 'labels'):
        (folder / part).mkdir(parents=True, exist_ok=True)
    numbers = np.stack([moving_person(frames, 1), moving_person(frames, 2)], axis=1)
    numbers[frames // 2 :, 1] = 0  # the second person leaves
    text = ''.join(
        ' ' + ' '.join(f'{value:.6f}' for value in row) + '\n'
        for row in numbers.reshape(frames, 150)
    )
    (folder / 'skeletons' / f'{name}.txt').write_text(text)
    (folder / 'labels' / f'{name}.txt').write_text(rows)
    return numbers
