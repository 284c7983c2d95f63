"""Accuracy over the fraction of the labels that is used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ..evaluation.readouts import Accuracies


def draw_label_curve(
    curve: Mapping[str, Mapping[float, Accuracies]],
    title: str | None = None,
    plain: tuple[str, ...] = (),
) -> Figure:
    """Draw accuracy, with its spread over seeds, over the fraction of the labels.

    The methods in ``plain`` are without pre-training, and drawn dashed.
    """
    figure = Figure(figsize=(8, 4), layout='constrained')
    axes = figure.subplots()
    fractions = sorted({f for row in curve.values() for f in row})
    for i, (method, row) in enumerate(curve.items()):
        x = np.array(list(row))
        mean = 100 * np.array([a.mean for a in row.values()])
        spread = 100 * np.nan_to_num([a.spread for a in row.values()])
        dashed = method in plain
        axes.errorbar(
            x,
            mean,
            spread,
            ls='--' if dashed else '-',
            marker='s' if dashed else 'o',
            color=f'C{i}',
            lw=1.4,
            ms=4,
            capsize=2,
            label=method,
        )
    axes.set_xscale('log')
    axes.set_xticks(fractions, [f'{100 * f:g} %' for f in fractions])
    axes.minorticks_off()
    axes.set_xlabel('labels of each class')
    axes.set_ylabel('top-1 accuracy, % (spread over seeds)')
    axes.grid(alpha=0.3)
    figure.legend(loc='outside right center', frameon=False, fontsize=8)
    if title:
        axes.set_title(title, fontsize=10)
    return figure
