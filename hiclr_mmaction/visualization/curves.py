"""Curves of runs, from what mmengine logs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

DEFAULT_KEYS = ('loss*', 'knn/k1', 'acc/*', '*accuracy*', 'feature_spread', 'lr')
_NO_SCALARS = ('step', 'epoch', 'iter')

Curves = dict[str, tuple[np.ndarray, np.ndarray]]


def read_run(path: str | Path) -> Curves:
    """The scalars of a run.

    Args:
        path (str | Path): The run's work folder, a subfolder with ``vis_data``, or the JSON
            file. For a work folder all starts are joined, in order: a resumed run continues
            from its checkpoint.

    Returns:
        dict: For each scalar iterations and values, ``(n,)`` each. Values logged per
        epoch are at the last iteration of the epoch.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line of it is not a JSON object, or it is empty.
    """
    path = Path(path)
    if path.is_file():
        files = [path]
    else:
        # Starts are named by their time.
        files = sorted(path.glob('vis_data/scalars.json')) or sorted(
            path.glob('*/vis_data/scalars.json')
        )
    if not files:
        raise FileNotFoundError(
            f'{path} is not a run: there is no vis_data/scalars.json in it, nor in its '
            'folders; give the work_dir of a run.'
        )
    curves: dict[str, dict[int, float]] = {}
    for file in files:
        for key, new in _read_start(file).items():
            old = curves.setdefault(key, {})
            # Steps after the checkpoint of a stopped start were repeated.
            first = min(new)
            curves[key] = {k: v for k, v in old.items() if k < first} | new
    if not curves:
        raise ValueError(f'{path} holds no scalar yet; wait for the first line.')
    return {
        key: (np.array(list(values)), np.array(list(values.values())))
        for key, values in curves.items()
    }


def pick_keys(runs: Mapping[str, Curves], patterns: Sequence[str]) -> list[str]:
    """Names of scalars that any run has and a pattern (``loss*``) fits, in their order.

    Raises:
        ValueError: If no scalar fits; the message lists them.
    """
    known = list(dict.fromkeys(key for curves in runs.values() for key in curves))
    picked = [key for pattern in patterns for key in known if fnmatch(key, pattern)]
    if not picked:
        raise ValueError(
            f'no scalar is called {" or ".join(patterns)}; there are {", ".join(known)}.'
        )
    return list(dict.fromkeys(picked))


def draw_curves(
    runs: Mapping[str, Curves],
    keys: Sequence[str] = DEFAULT_KEYS,
    title: str | None = None,
) -> Figure:
    """Draw the curves of runs, a panel for each scalar.

    Args:
        runs (Mapping[str, Curves]): Of each run its name and :func:`read_run`.
        keys (Sequence[str]): Scalars to draw, as patterns.
        title (str, optional): Written above.

    Returns:
        Figure: To be saved by its ``savefig``.

    Raises:
        ValueError: As :func:`pick_keys`.
    """
    picked = pick_keys(runs, keys)
    columns = min(3, len(picked))
    rows = -(-len(picked) // columns)
    figure = Figure(
        figsize=(3.3 * columns + 0.2, 2.3 * rows + 0.35 * len(runs)),
        layout='constrained',
    )
    all_axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    handles = {}
    for key, axes in zip(picked, all_axes, strict=False):
        for i, (name, curves) in enumerate(runs.items()):
            if key not in curves:
                continue
            steps, values = curves[key]
            # Few points, as of validations, get markers.
            marker = 'o' if len(steps) <= 30 else ''
            (handles[name],) = axes.plot(
                steps, values, color=f'C{i}', lw=1.2, marker=marker, ms=3
            )
        axes.set_title(key, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
        axes.set_xlabel('iteration', fontsize=7)
    for axes in all_axes[len(picked) :]:
        axes.remove()
    figure.legend(
        list(handles.values()), list(handles), loc='outside upper center', frameon=False,
        fontsize=8, ncols=1 if max(map(len, handles)) > 40 else min(3, len(handles)),
    )  # fmt: skip
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def _read_start(path: Path) -> dict[str, dict[int, float]]:
    """Values by iteration of each scalar of one file."""
    lines = path.read_text(encoding='utf-8').splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
        elif number < len(lines):  # the last one may be on its way
            raise ValueError(
                f'{path}: line {number} is not a JSON object; give the scalars.json that '
                'mmengine writes.'
            )
    # In a run by epochs, what is logged once an epoch has the epoch as its step.
    ends: dict[int, int] = {0: 0}
    for row in rows:
        if 'epoch' in row and 'iter' in row:
            ends[row['epoch']] = row['iter']
    out: dict[str, dict[int, float]] = {}
    for row in rows:
        step = row.get('step', 0)
        if 'iter' in row:
            step = row['iter']
        elif len(ends) > 1:
            step = ends.get(step, step)
        for key, value in row.items():
            if key not in _NO_SCALARS and isinstance(value, int | float):
                out.setdefault(key, {})[step] = value
    return out
