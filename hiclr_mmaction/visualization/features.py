"""Pictures of features in 2-D."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

#: Methods of :func:`embed_features`, and what plots call them.
METHODS = dict(tsne='t-SNE', umap='UMAP')
_MARKERS = 'o^sDv*'
_ROWS = 30  # of a legend


def check_method(method: str) -> None:
    """Check that features can be embedded by a method, see :func:`embed_features`.

    Raises:
        ImportError: If it needs a package that is not installed.
        ValueError: If it is unknown.
    """
    if method not in METHODS:
        raise ValueError(f'method={method!r} is unknown; it is {" or ".join(METHODS)}.')
    if method == 'umap' and importlib.util.find_spec('umap') is None:
        raise ImportError(
            "method='umap' needs umap-learn: pip install umap-learn, or install this "
            "package with the extra 'analysis'."
        )


def embed_features(
    features: np.ndarray, method: str = 'tsne', seed: int = 0
) -> np.ndarray:
    """Embed features in 2-D so that near features (by cosine) stay near.

    Args:
        features (np.ndarray): ``(N, C)``.
        method (str): ``'tsne'`` (scikit-learn) or ``'umap'`` (umap-learn).
        seed (int): Random seed.

    Returns:
        np.ndarray: ``(N, 2)``.

    Raises:
        ImportError: If umap-learn is wanted and not installed.
        ValueError: If the method is unknown or there are fewer than 4 features.
    """
    check_method(method)
    count = len(features)
    if count < 4:
        raise ValueError(f'{count} features are too few for a picture; give 4 or more.')
    if method == 'tsne':
        # A perplexity is below the number of points.
        tsne = TSNE(
            perplexity=min(30, (count - 1) / 3),
            metric='cosine',
            init='pca',
            random_state=seed,
        )
        return tsne.fit_transform(features)
    from umap import UMAP  # takes seconds to import, and is optional

    neighbours = min(15, count - 1)
    # The spectral start needs more points than these.
    init = 'spectral' if count > 15 else 'random'
    umap = UMAP(n_neighbors=neighbours, metric='cosine', init=init, random_state=seed,
                n_jobs=1)  # fmt: skip
    return umap.fit_transform(features)


def draw_features(
    points: Mapping[str, np.ndarray],
    labels: np.ndarray,
    classes: Sequence[str] | None = None,
    title: str | None = None,
    size: float = 4.5,
    axis: str = '',
) -> Figure:
    """Draw embedded features, coloured by class, in panels side by side.

    Up to 20 classes differ in colour. More classes differ in colour and marker, and the
    number of each class is written at its median.

    Args:
        points (Mapping[str, np.ndarray]): Title and ``(N, 2)`` of each panel.
        labels (np.ndarray): ``(N,)``, the classes, -1: none; the same clips in all panels.
        classes (Sequence[str], optional): Names by label. None: numbers.
        title (str, optional): Written above all.
        size (float): Width and height of a panel in inches.
        axis (str): Name of the axes, such as ``'t-SNE'``.

    Returns:
        Figure: To be saved by its ``savefig``.

    Raises:
        ValueError: If the numbers of points, labels and names do not go together.
    """
    labels = np.asarray(labels)
    shown = np.unique(labels)
    if classes is not None and shown.max() >= len(classes):
        raise ValueError(
            f'label {shown.max()} is beyond the {len(classes)} class names; give one name '
            'per class.'
        )
    for panel, coordinates in points.items():
        if len(coordinates) != len(labels):
            raise ValueError(
                f'{panel}: {len(coordinates)} points for {len(labels)} labels; '
                'give one each.'
            )
    colours = [tuple(colormaps['tab20'](i)) for i in range(20)]
    # Pairs of tab20 are light and dark: first the ten dark ones.
    colours = colours[::2] + colours[1::2]
    many = len(shown) > len(colours)
    columns = -(-len(shown) // _ROWS)
    names = [
        'no label' if c < 0 else str(c if classes is None else classes[c])
        for c in shown
    ]
    if many and classes is not None:
        names = [f'{c}  {name}' for c, name in zip(shown, names, strict=True)]
    key = columns * (0.45 + 0.065 * max(map(len, names)))
    figure = Figure(
        figsize=(size * len(points) + key, size + 0.3), layout='constrained'
    )
    all_axes = figure.subplots(1, len(points), squeeze=False)[0]
    for axes, (panel, coordinates) in zip(all_axes, points.items(), strict=True):
        for i, (label, name) in enumerate(zip(shown, names, strict=True)):
            these = coordinates[labels == label]
            axes.scatter(
                *these.T,
                s=12,
                color=colours[i % len(colours)],
                marker=_MARKERS[i // len(colours) % len(_MARKERS)],
                linewidths=0,
                label=name,
            )
            if many:
                middle = np.median(these, axis=0)
                axes.annotate(str(label), middle, fontsize=7, ha='center', va='center')
        axes.set_title(panel, fontsize=10)
        axes.tick_params(labelsize=7)
        if axis:
            axes.set_xlabel(f'{axis} 1', fontsize=8)
            axes.set_ylabel(f'{axis} 2', fontsize=8)
    handles, names = all_axes[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc='outside right center', ncols=columns, frameon=False,
        fontsize=6.5 if many else 8, markerscale=1.6, handletextpad=0.2,
        columnspacing=1, labelspacing=0.25 if many else 0.5,
    )  # fmt: skip
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
