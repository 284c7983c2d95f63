"""People's own files, for the tests of their readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hiclr_mmaction.converters.forms import Options, read_form
from hiclr_mmaction.skeleton import get_layout

CASES = Path(__file__).parents[1] / 'data' / 'cases'

ROD = dict(
    name='rod', joints=['Foot', 'Hip', 'Head'], bones=[(1, 0), (2, 1)], center=1,
    shoulders=(0, 2),
)  # fmt: skip
FLAT = dict(ROD, coordinates='2d')
WORLD = dict(base='mediapipe', coordinates='3d')


def numbers(persons=1, frames=4, joints=3, channels=3) -> np.ndarray:
    """``(M, T, V, C)`` between 0.5 and 1, with 3 decimals."""
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 1, (persons, frames, joints, channels)).round(3)


def read(path: Path, layout=ROD, **options) -> dict:
    """What the reader of a file returns."""
    options = Options(get_layout(layout), **options)
    return read_form(path, options).sample(options)
