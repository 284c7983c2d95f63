"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

_MOST_VALUES = 20  # classes up to which the numbers can be read
_INCHES = {20: 0.42, 60: 0.17}  # a class's width, for up to so many classes
_LEAST_INCHES = 0.11


def draw_confusion(
    matrix: np.ndarray,
    classes: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw a confusion matrix, each row normalised by the number of clips of its class.

    Args:
        matrix (np.ndarray): Counts ``(K, K)``; row: the true class, column: the
            predicted one, as of :func:`sklearn.metrics.confusion_matrix`.
        classes (Sequence[str], optional): ``K`` names. None: numbers.
        title (str, optional): Written above.

    Returns:
        Figure: Save it with ``savefig``. Percentages are written for up to 20 classes; a
        class without a clip has an empty row.

    Raises:
        ValueError: If the matrix is not square or holds no clip, or the number of names
            is another.
    """
    matrix = _check(matrix, classes)
    num_classes = len(matrix)
    names = range(num_classes) if classes is None else classes
    clips = matrix.sum(1, keepdims=True)
    share = np.divide(matrix, clips, out=np.zeros(matrix.shape), where=clips > 0)
    inches = next(
        (size for most, size in _INCHES.items() if num_classes <= most), _LEAST_INCHES
    )
    side = max(num_classes * inches, 2.5)
    figure = Figure(figsize=(side + 2.6, side + 2.0), layout='constrained')
    axes = figure.add_subplot()
    few = num_classes <= _MOST_VALUES
    ConfusionMatrixDisplay(share, display_labels=names).plot(
        ax=axes,
        cmap='Blues',
        include_values=few,
        values_format='.0%',
        xticks_rotation='vertical',
        text_kw=dict(fontsize=7),
        im_kw=dict(vmin=0, vmax=1),
    )
    # A third of a class's width is left between two names.
    axes.tick_params(labelsize=min(8, inches * 72 * 0.7))
    if few:
        for text in axes.texts:
            if text.get_text() == '0%':
                text.set_visible(False)
    axes.set_xlabel('predicted class')
    axes.set_ylabel('true class')
    figure.axes[-1].set_ylabel('share of the true class')  # of the colour bar
    if title:
        axes.set_title(title, fontsize=10)
    return figure


def most_confused(
    matrix: np.ndarray, count: int = 10
) -> list[tuple[int, int, int, float]]:
    """The pairs of classes that are confused most.

    Args:
        matrix (np.ndarray): Counts ``(K, K)``, as in :func:`draw_confusion`.
        count (int): Maximum number of pairs.

    Returns:
        list[tuple]: For each pair the true class, the predicted class, the number of clips
        and their share of the true class; the largest share first.

    Raises:
        ValueError: If the matrix is not square or holds no clip.
    """
    matrix = _check(matrix, None)
    clips = matrix.sum(1)
    pairs = [
        (int(true), int(predicted), int(matrix[true, predicted]))
        for true, predicted in np.argwhere(matrix)
        if true != predicted
    ]
    out = [(*pair, pair[2] / float(clips[pair[0]])) for pair in pairs]
    return sorted(out, key=lambda pair: (-pair[3], -pair[2]))[:count]


def _check(matrix: np.ndarray, classes: Sequence[str] | None) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.any():
        raise ValueError(
            f'matrix of shape {matrix.shape} is not a confusion matrix with clips; '
            'give the counts (K, K).'
        )
    if classes is not None and len(classes) != len(matrix):
        raise ValueError(
            f'{len(classes)} class names for a matrix of {len(matrix)} classes; give one '
            'name per class.'
        )
    return matrix
