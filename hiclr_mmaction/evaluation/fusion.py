"""Fusion of the scores of several streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mmaction.evaluation import (
    get_weighted_score,
    mean_class_accuracy,
    top_k_accuracy,
)

from .scores import Scores


def fuse_scores(
    streams: Mapping[str, Scores], weights: Sequence[float] | None = None
) -> np.ndarray:
    """The weighted sum of the streams' scores.

    The weights are given, never fitted: choosing weights by the accuracy on the test set,
    as the released code does, biases that accuracy.

    Args:
        streams (Mapping[str, Scores]): Scores of the same clips, by name.
        weights (Sequence[float], optional): One per stream, not negative. None: equal.

    Returns:
        np.ndarray: float ``(N, K)``.

    Raises:
        ValueError: If the clips, their order, labels or classes differ, a score is not
            finite, or the weights do not fit.
    """
    if weights is None:
        weights = [1.0] * len(streams)
    if len(weights) != len(streams):
        raise ValueError(
            f'{len(weights)} weights for {len(streams)} score files; give one each.'
        )
    if not np.isfinite(weights).all() or min(weights) < 0 or not any(weights):
        raise ValueError(
            f'weights={list(weights)}; they must not be negative, nor all of them 0.'
        )
    check_same_clips(streams)
    scores = [stream.scores for stream in streams.values()]
    return np.array(get_weighted_score(scores, list(weights)))


def check_same_clips(streams: Mapping[str, Scores]) -> None:
    """Raise a ValueError unless all are finite scores of the same clips in one order."""
    for name, stream in streams.items():
        bad = ~np.isfinite(stream.scores).all(axis=1)
        if bad.any():
            raise ValueError(
                f'{name}: the scores of {bad.sum()} clips are not finite, the first is '
                f'clip {bad.argmax()}; test a checkpoint that has not diverged.'
            )
    (first_name, first), *others = streams.items()
    for name, other in others:
        pair = f'{first_name} and {name}'
        if len(first.labels) != len(other.labels):
            raise ValueError(
                f'{pair} differ in length: {len(first.labels)} and {len(other.labels)} '
                'clips; dump both from the same test set.'
            )
        if first.scores.shape != other.scores.shape:
            raise ValueError(
                f'{pair} have {first.scores.shape[1]} and {other.scores.shape[1]} '
                'classes; dump both from the same test set.'
            )
        different = np.array(first.names) != np.array(other.names)
        what = 'clips or their order'
        if not different.any():
            different, what = first.labels != other.labels, 'labels'
        if different.any():
            i = int(different.argmax())
            clips = [f'{s.names[i]!r} (label {s.labels[i]})' for s in (first, other)]
            raise ValueError(
                f'{pair} differ in {what}, first at clip {i}: {clips[0]} and {clips[1]}; '
                'dump both from the same test set, unshuffled.'
            )


def accuracies(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Top-1, top-5 and mean class accuracy, 0 to 1, as MMAction2 counts them.

    Args:
        scores (np.ndarray): ``(N, K)``.
        labels (np.ndarray): ``(N,)``.
    """
    top1, top5 = top_k_accuracy(scores, labels, topk=(1, 5))
    mean = mean_class_accuracy(scores, labels)
    return dict(top1=float(top1), top5=float(top5), mean_class=float(mean))
