"""Accuracy for several numbers of labels, compared with plain baselines."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from ..datasets import choose_clips
from .baselines import BASELINES, minirocket_features
from .readouts import (
    READOUTS,
    Accuracies,
    ChosenReadout,
    ViewWhitening,
    ridge,
    verdict,
)

#: The baselines that run by default: warping takes minutes on a thousand clips.
DEFAULT_BASELINES = tuple(name for name in BASELINES if 'DTW' not in name)
CHOSEN = 'read-out chosen by rule'
HYBRID = 'hybrid: ridge on features and MiniRocket'
#: Accuracies by method, fraction and seed.
Cells = Mapping[tuple[str, float, int], float]


@dataclass(frozen=True)
class EvaluatedClips:
    """Clips of a split, and their features by a frozen encoder.

    Attributes:
        clips (np.ndarray): Aligned clips ``(N, M, T, V, C)``.
        features (np.ndarray): Features ``(N, D)``, of unit length; see :func:`prepared`.
        labels (np.ndarray): int ``(N,)``, -1 where there is none.
        names (list[str]): Of the clips.
    """

    clips: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    names: list[str]

    def take(self, indices: Sequence[int]) -> EvaluatedClips:
        """Some of the clips."""
        return EvaluatedClips(
            self.clips[indices],
            self.features[indices],
            self.labels[indices],
            [self.names[i] for i in indices],
        )

    def labelled(self) -> EvaluatedClips:
        """The clips that have a label."""
        return self.take(np.flatnonzero(self.labels >= 0).tolist())


def prepared(
    views: np.ndarray,
    features: np.ndarray,
    test_features: np.ndarray,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Features as the read-outs take them, of unit length. No label is needed.

    Args:
        views (np.ndarray): Features of views of the training clips, ``(N, K, D)``.
            With two or more of each clip the features are whitened
            (:class:`ViewWhitening`) and a training clip is the mean of its views; else
            they are standardised.
        features (np.ndarray): Of the training clips ``(N, D)``.
        test_features (np.ndarray): Of the clips to classify ``(M, D)``.
        seed (int): Seed of the whitening.
    """
    if views.shape[1] > 1:
        whitening = ViewWhitening(seed=seed).fit(views)
        return whitening.transform(views), whitening.transform(test_features)
    scaler = make_pipeline(StandardScaler(), Normalizer()).fit(features)
    return scaler.transform(features), scaler.transform(test_features)


def baseline_accuracies(
    train: EvaluatedClips,
    test: EvaluatedClips,
    fraction: float,
    seed: int,
    baselines: Sequence[str] = DEFAULT_BASELINES,
) -> dict[str, float]:
    """Accuracies of baselines that learn from a fraction of the labels, 0 to 1.

    Args:
        train (EvaluatedClips): All training clips.
        test (EvaluatedClips): Clips to classify.
        fraction (float): Part of each class whose labels are used, at least one clip.
        seed (int): Seed of the choice, and of MiniRocket.
        baselines (Sequence[str]): Names in :data:`.baselines.BASELINES`.
    """
    few = _labelled(train, fraction, seed)
    found = {}
    for name in baselines:
        model = BASELINES[name]()
        if 'seed' in model.get_params():
            model.set_params(seed=seed)
        found[name] = _accuracy(model, few.clips, few.labels, test.clips, test.labels)
    return found


def readout_accuracies(
    train: EvaluatedClips,
    test: EvaluatedClips,
    fraction: float,
    seed: int,
    hybrid: bool = False,
) -> tuple[dict[str, float], str]:
    """Accuracies of every read-out of the frozen features, and which the rule chose.

    Args:
        train (EvaluatedClips): All training clips.
        test (EvaluatedClips): Clips to classify.
        fraction (float): Part of each class whose labels are used, at least one clip.
        seed (int): Seed of the choice.
        hybrid (bool): Whether to add a ridge classifier of the features together with
            MiniRocket's. Its accuracy is not due to the encoder alone.

    Returns:
        tuple[dict[str, float], str]: Accuracies by name, 0 to 1, and the name in
        :data:`.readouts.READOUTS` that :class:`.readouts.ChosenReadout` chose.
    """
    few = _labelled(train, fraction, seed)
    data = few.features, few.labels, test.features, test.labels
    found = {name: _accuracy(make(), *data) for name, make in READOUTS.items()}
    rule = ChosenReadout(seed=seed)
    found[CHOSEN] = _accuracy(rule, *data)
    if hybrid:
        x, test_x = minirocket_features(few.clips, test.clips, seed)
        convolved = make_pipeline(StandardScaler(), Normalizer()).fit(x)
        x, test_x = (
            np.concatenate([part.features, convolved.transform(rocket)], axis=1)
            for part, rocket in ((few, x), (test, test_x))
        )
        found[HYBRID] = _accuracy(ridge(), x, few.labels, test_x, test.labels)
    return found, rule.name_


def _labelled(train: EvaluatedClips, fraction: float, seed: int) -> EvaluatedClips:
    return train.take(choose_clips(train.names, train.labels.tolist(), seed, fraction))


def _accuracy(model: Any, x: Any, y: Any, test_x: Any, test_y: Any) -> float:
    with warnings.catch_warnings():
        # With one clip of each class there are as many classes as clips.
        warnings.filterwarnings('ignore', 'The number of unique classes')
        return float((model.fit(x, y).predict(test_x) == test_y).mean())


def over_seeds(
    cells: Cells, seeds: Sequence[int] | None = None
) -> dict[str, dict[float, Accuracies]]:
    """Accuracies over the seeds, by method and fraction.

    Args:
        cells (Mapping): Accuracies by method, fraction and seed.
        seeds (Sequence[int], optional): Those to take, in this order. None: all.
    """
    found: dict[str, dict[float, list[float]]] = {}
    wanted = sorted({seed for *_, seed in cells}) if seeds is None else seeds
    for seed in wanted:
        for (method, fraction, of), value in cells.items():
            if of == seed:
                found.setdefault(method, {}).setdefault(fraction, []).append(value)
    return {
        method: {f: Accuracies(tuple(v)) for f, v in sorted(row.items())}
        for method, row in found.items()
    }


def choices(chosen: Mapping[tuple[float, int], str]) -> list[str]:
    """Which read-outs the rule chose, a sentence for each fraction of the labels.

    Args:
        chosen (Mapping): Names by fraction and seed.
    """
    counts: dict[float, Counter[str]] = {}
    for (fraction, _), name in sorted(chosen.items()):
        counts.setdefault(fraction, Counter())[name] += 1
    return [
        f'{100 * fraction:g} % of labels: the rule chose '
        + ', '.join(
            f'{name} ({n} of {names.total()} seeds)' for name, n in names.items()
        )
        for fraction, names in counts.items()
    ]


def conclusions(curve: Mapping[str, Mapping[float, Accuracies]]) -> list[str]:
    """Whether pre-training helped, a sentence for each fraction of the labels.

    Args:
        curve (Mapping): Of :func:`over_seeds`; its baselines are those of
            :data:`.baselines.BASELINES` and ``'from scratch'``.
    """
    sentences = []
    for fraction, ours in curve.get(CHOSEN, {}).items():
        others = {
            name: row[fraction]
            for name, row in curve.items()
            if (name in BASELINES or name == 'from scratch') and fraction in row
        }
        if others:
            sentences.append(f'{100 * fraction:g} % of labels: {verdict(ours, others)}')
    return sentences
