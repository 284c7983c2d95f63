"""Closed-form read-outs: classifiers of frozen features that need no training loop.

They take features that are whitened by :class:`ViewWhitening`, or at least standardised
over the training clips.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeClassifierCV, RidgeCV
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

#: Penalties of the ridge; leave-one-out chooses.
ALPHAS = np.logspace(-5, 2, 15)


def nearest_clip() -> BaseEstimator:
    """1-NN by the cosine."""
    return KNeighborsClassifier(1, metric='cosine')


class _ClassMean(NearestCentroid):
    def fit(self, x: np.ndarray, y: np.ndarray) -> NearestCentroid:
        with warnings.catch_warnings():
            # A class of one clip has no spread; the distances do not use it.
            warnings.filterwarnings('ignore', '.*zero standard deviation')
            warnings.filterwarnings('ignore', 'invalid value encountered')
            return super().fit(x, y)


def class_mean() -> BaseEstimator:
    """The nearest class mean of features of unit length."""
    return make_pipeline(Normalizer(), _ClassMean())


def ridge() -> BaseEstimator:
    """Ridge classifier of features of unit length.

    The penalty is chosen by leave-one-out, in closed form.
    """
    return make_pipeline(Normalizer(), RidgeClassifierCV(ALPHAS))


class ViewWhitening(TransformerMixin, BaseEstimator):
    """Scale down directions in which the views of a clip differ. Needs no labels.

    Features are standardised, projected on the principal axes of the views, and whitened
    by the covariance of the views within a clip: within-class covariance normalisation
    (Hatch et al., Interspeech 2006) with every clip as a separate class. The results have
    unit length, so that Euclidean distances rank as cosine distances.

    Args:
        max_components (int): Principal axes at most.
        shrinkage (float): Fraction of the mean variance that is added to every direction.
        seed (int): Seed of the randomised PCA.
    """

    def __init__(
        self, max_components: int = 1000, shrinkage: float = 0.1, seed: int = 0
    ) -> None:
        self.max_components = max_components
        self.shrinkage = shrinkage
        self.seed = seed

    def fit(self, views: np.ndarray, y: object = None) -> ViewWhitening:
        """Learn from the features of views of training clips, ``(N, K, D)``, K >= 2."""
        n, k, d = views.shape
        if k < 2:
            raise ValueError(f'{k} view of each clip: whitening needs 2 or more.')
        rows = views.reshape(-1, d)
        self.scaler_ = StandardScaler().fit(rows)
        size = min(self.max_components, d, n * k - 1)
        self.pca_ = PCA(size, svd_solver='randomized', random_state=self.seed)
        parts = self.pca_.fit_transform(self.scaler_.transform(rows)).reshape(n, k, -1)
        parts = (parts - parts.mean(1, keepdims=True)).reshape(n * k, -1)
        covariance = parts.T @ parts / (n * (k - 1))
        # Views that do not differ are not whitened.
        mean = np.trace(covariance) / size or 1.0
        values, vectors = np.linalg.eigh(
            covariance + self.shrinkage * mean * np.eye(size)
        )
        self.whitening_ = vectors / np.sqrt(values)
        return self

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Whitened features ``(N, max_components or fewer)`` of features ``(N, D)``.

        Of ``(N, K, D)`` the mean over a clip's K views.
        """
        rows = features.reshape(-1, features.shape[-1])
        rows = self.pca_.transform(self.scaler_.transform(rows)) @ self.whitening_
        if features.ndim == 3:
            rows = rows.reshape(*features.shape[:2], -1).mean(1)
        return Normalizer().transform(rows)

    def linear_map(self) -> tuple[np.ndarray, np.ndarray]:
        """Matrix and offset of :meth:`transform`, before its scaling to unit length."""
        matrix = (
            self.pca_.components_.T / self.scaler_.scale_[:, None]
        ) @ self.whitening_
        mean = self.scaler_.mean_ + self.pca_.mean_ * self.scaler_.scale_
        return matrix, -mean @ matrix


def ridge_classifier(
    views: np.ndarray, labels: np.ndarray, num_classes: int, margin: float = 10.0
) -> tuple[np.ndarray, np.ndarray]:
    """Weights with which a softmax classifier of raw features starts.

    A ridge classifier of features whitened by :class:`ViewWhitening`, with the whitening
    made part of its weights.

    Args:
        views (np.ndarray): Features of views of clips ``(N, K, D)``, K >= 2.
        labels (np.ndarray): int ``(N,)``, -1 for clips that only help to whiten.
        num_classes (int): Number of classes, C.
        margin (float): Mean difference of the labelled clips' logits of the true class
            and of the others. The ridge's own depends on its penalty, and is next to
            nothing with one clip of each class.

    Returns:
        tuple[np.ndarray, np.ndarray]: Weight ``(C, D)`` and bias ``(C,)``, float32.
    """
    matrix, offset = ViewWhitening().fit(views).linear_map()
    x = views.mean(1) @ matrix + offset
    lengths = np.linalg.norm(x, axis=1)
    known = labels >= 0
    rows = x[known] / lengths[known, None]
    true = labels[known, None] == np.arange(num_classes)
    model = RidgeCV(ALPHAS).fit(rows, np.where(true, 1.0, -1.0))
    logits = model.predict(rows)
    scale = margin / (logits[true].mean() - logits[~true].mean())
    weight = scale * model.coef_ / lengths.mean()
    bias = scale * model.intercept_ + weight @ offset
    return (weight @ matrix.T).astype(np.float32), bias.astype(np.float32)


#: The read-outs by the name that tables give them; the last is preferred.
READOUTS: dict[str, Callable[[], BaseEstimator]] = {
    'nearest neighbour': nearest_clip,
    'class mean': class_mean,
    'ridge': ridge,
}


#: Clips of the rarest class from which read-outs are compared by cross-validation.
LEAST_CLIPS = 3


class ChosenReadout(ClassifierMixin, BaseEstimator):
    """The read-out that cross-validation on the training clips prefers.

    Folds share subjects and cameras, which favours the nearest neighbour. Therefore the
    first of ``readouts`` is chosen unless another is better by more than the standard
    error. If a class has fewer clips than :data:`LEAST_CLIPS`, cross-validation is too
    unreliable, and the read-out is ``'ridge'``; if no class has two clips, it is
    ``'nearest neighbour'``.

    Args:
        readouts (Sequence[str], optional): Names in :data:`READOUTS`, the preferred one
            first; by default all, ridge first.
        folds (int): Folds at most.
        repeats (int): Times that the clips are divided anew.
        seed (int): Seed of the folds.

    Attributes:
        name_ (str): The name of the chosen read-out.
        accuracies_ (dict[str, float]): Accuracy of each in cross-validation, 0 to 1.
    """

    def __init__(
        self,
        readouts: Sequence[str] | None = None,
        folds: int = 5,
        repeats: int = 3,
        seed: int = 0,
    ) -> None:
        self.readouts = readouts
        self.folds = folds
        self.repeats = repeats
        self.seed = seed

    def fit(self, features: np.ndarray, labels: np.ndarray) -> ChosenReadout:
        """Choose by, and then learn from, training features ``(N, D)``."""
        names = list(self.readouts or reversed(READOUTS))
        unknown = [n for n in names if n not in READOUTS]
        if unknown:
            raise ValueError(
                f'readouts={unknown} are unknown; known are {", ".join(READOUTS)}.'
            )
        self.classes_, counts = np.unique(labels, return_counts=True)
        self.accuracies_ = {}
        if counts.min() >= LEAST_CLIPS:
            models = {name: READOUTS[name]() for name in names}
            data = features, labels, self.folds, self.repeats, self.seed
            self.accuracies_ = cross_validate(models, *data)
            self.name_ = max(models, key=self.accuracies_.__getitem__)
            kept, best = (self.accuracies_[n] for n in (names[0], self.name_))
            if best - kept <= np.sqrt(best * (1 - best) / len(labels)):
                self.name_ = names[0]
        else:
            self.name_ = 'nearest neighbour' if counts.max() == 1 else 'ridge'
        self.model_ = READOUTS[self.name_]().fit(features, labels)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Labels of features ``(N, D)``."""
        return self.model_.predict(features)


def cross_validate(
    models: Mapping[str, BaseEstimator],
    features: np.ndarray,
    labels: np.ndarray,
    folds: int = 5,
    repeats: int = 3,
    seed: int = 0,
) -> dict[str, float]:
    """Accuracy of classifiers on held-out training clips.

    Args:
        models (Mapping[str, BaseEstimator]): Classifiers by name.
        features (np.ndarray): ``(N, D)``.
        labels (np.ndarray): ``(N,)``.
        folds (int): Folds at most; as many as the clips of the rarest class that has two.
        repeats (int): Times that the clips are divided anew.
        seed (int): Seed of the folds.

    Returns:
        dict[str, float]: Mean accuracy, 0 to 1; empty where no class has two clips.
    """
    labels = np.asarray(labels)
    classes, counts = np.unique(labels, return_counts=True)
    shared = np.isin(labels, classes[counts >= 2])
    if not shared.any():
        return {}
    alone = np.flatnonzero(~shared)
    rows = np.flatnonzero(shared)
    hits: dict[str, list[np.ndarray]] = {name: [] for name in models}
    folds = min(folds, int(counts[counts >= 2].min()))
    for repeat in range(repeats):
        split = StratifiedKFold(folds, shuffle=True, random_state=seed + repeat)
        for fit, held_out in split.split(rows, labels[rows]):
            fit_rows, test_rows = np.concatenate([rows[fit], alone]), rows[held_out]
            for name, model in models.items():
                fitted = clone(model).fit(features[fit_rows], labels[fit_rows])
                hits[name].append(
                    fitted.predict(features[test_rows]) == labels[test_rows]
                )
    return {name: float(np.concatenate(parts).mean()) for name, parts in hits.items()}


@dataclass(frozen=True)
class Accuracies:
    """Accuracies of one method over seeds, 0 to 1."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.values))

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds; NaN for one."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else np.nan

    def __str__(self) -> str:
        spread = '' if np.isnan(self.spread) else f' ± {100 * self.spread:.1f}'
        return f'{100 * self.mean:.1f}{spread}'


def verdict(ours: Accuracies, baselines: Mapping[str, Accuracies]) -> str:
    """Whether pre-training helped, in words.

    Compares the mean over seeds with the best baseline. A difference below twice its
    standard error counts as no difference.

    Args:
        ours (Accuracies): The encoder's.
        baselines (Mapping[str, Accuracies]): Of the same clips and labels, by name.
    """
    name = max(baselines, key=lambda n: baselines[n].mean)
    other = baselines[name]
    gap = 100 * (ours.mean - other.mean)
    error = 100 * np.sqrt(
        sum(
            np.var(a.values, ddof=1) / len(a.values)
            for a in (ours, other)
            if len(a.values) > 1
        )
    )
    beside = f'{ours} % beside {other} % ({name})'
    seeds = len(ours.values)
    if seeds < 2:
        word = 'above' if gap > 0 else 'not above'
        return (
            f'One seed: the encoder is {word} the best baseline, {beside}; run three.'
        )
    if gap > 2 * error:
        return f'Pre-training helped: {gap:.1f} points, {beside}, {seeds} seeds.'
    if gap < -2 * error:
        return f'Pre-training did not help: {gap:.1f} points, {beside}, {seeds} seeds.'
    return (
        f'No difference: {gap:+.1f} points is within the spread of {seeds} seeds, '
        f'{beside}.'
    )
