"""Baselines without pre-training: classifiers of the aligned joints.

Every baseline is a scikit-learn classifier of clips ``(N, M, T, V, C)``, so that all of
them see the same clips, splits and labelled subsets as the encoder.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ..skeleton import resample

#: Frames of the vectors and of the series that the baselines learn from.
VECTOR_FRAMES, SERIES_FRAMES = 32, 64


def resample_clips(clips: np.ndarray, num_frames: int) -> np.ndarray:
    """Clips ``(N, M, T, V, C)`` with another number of frames, float32."""
    x = torch.from_numpy(np.ascontiguousarray(clips, np.float32))
    return resample(x, num_frames).numpy()


def as_vectors(clips: np.ndarray, num_frames: int = VECTOR_FRAMES) -> np.ndarray:
    """Each clip as one vector, ``(N, M * num_frames * V * C)``."""
    clips = resample_clips(clips, num_frames)
    return clips.reshape(len(clips), -1)


def as_series(clips: np.ndarray, num_frames: int = SERIES_FRAMES) -> np.ndarray:
    """Each clip as a multivariate series, ``(N, M * V * C, num_frames)``.

    A channel that is constant in all clips, such as a coordinate of the joint that clips
    are centred on, stays: which are constant must not depend on the clips at hand.
    """
    clips = resample_clips(clips, num_frames).transpose(0, 1, 3, 4, 2)
    return clips.reshape(len(clips), -1, num_frames)


def nearest_neighbour() -> Pipeline:
    """1-NN by the Euclidean distance of the joints, over 32 frames."""
    return make_pipeline(FunctionTransformer(as_vectors), KNeighborsClassifier(1))


def logistic_regression() -> Pipeline:
    """Logistic regression on the standardised joints, over 32 frames."""
    return make_pipeline(
        FunctionTransformer(as_vectors),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )


class DTWNeighbour(ClassifierMixin, BaseEstimator):
    """1-NN by dynamic time warping of the joints (dependent DTW), over 32 frames.

    Args:
        window (float): Width of the Sakoe-Chiba band, as a part of the clip.
    """

    def __init__(self, window: float = 0.2) -> None:
        self.window = window

    def fit(self, clips: np.ndarray, labels: np.ndarray) -> DTWNeighbour:
        """Keep the training clips ``(N, M, T, V, C)``."""
        from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier

        self.classes_ = np.unique(labels)
        self.model_ = KNeighborsTimeSeriesClassifier(
            n_neighbors=1, distance='dtw', distance_params=dict(window=self.window)
        ).fit(as_series(clips, VECTOR_FRAMES).astype(np.float64), labels)
        return self

    def predict(self, clips: np.ndarray) -> np.ndarray:
        """Labels of clips ``(N, M, T, V, C)``."""
        return self.model_.predict(as_series(clips, VECTOR_FRAMES).astype(np.float64))


class MiniRocketRidge(ClassifierMixin, BaseEstimator):
    """MiniRocket's random convolutions and a ridge classifier, over 64 frames.

    MiniRocket (Dempster et al., KDD 2021) as aeon has it, with its defaults.

    Args:
        seed (int): Seed of the random features.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, clips: np.ndarray, labels: np.ndarray) -> MiniRocketRidge:
        """Learn from training clips ``(N, M, T, V, C)``."""
        from aeon.classification.convolution_based import MiniRocketClassifier

        self.classes_ = np.unique(labels)
        self.model_ = MiniRocketClassifier(random_state=self.seed)
        self.model_.fit(as_series(clips), labels)
        return self

    def predict(self, clips: np.ndarray) -> np.ndarray:
        """Labels of clips ``(N, M, T, V, C)``."""
        return self.model_.predict(as_series(clips))


#: The baselines by the name that tables give them.
BASELINES: dict[str, Callable[[], BaseEstimator]] = {
    '1-NN on joints': nearest_neighbour,
    '1-NN on joints, DTW': DTWNeighbour,
    'logistic regression on joints': logistic_regression,
    'MiniRocket': MiniRocketRidge,
}
NEED_AEON = ('1-NN on joints, DTW', 'MiniRocket')


def check_baselines(names: Sequence[str]) -> None:
    """Check that the baselines of these names can run.

    Raises:
        ValueError: If a name is unknown.
        ImportError: If a baseline needs aeon and it is not installed.
    """
    unknown = [name for name in names if name not in BASELINES]
    if unknown:
        raise ValueError(
            f'baselines={unknown} are unknown; known are {", ".join(BASELINES)}.'
        )
    needed = [name for name in names if name in NEED_AEON]
    if needed and importlib.util.find_spec('aeon') is None:
        raise ImportError(
            f'the baselines {", ".join(needed)} need aeon: pip install '
            "'hiclr-mmaction[baselines]', or leave them out."
        )


def minirocket_features(
    train: np.ndarray, test: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """MiniRocket's features of clips, for the hybrid read-out.

    Args:
        train (np.ndarray): Clips ``(N, M, T, V, C)`` that the biases are drawn from.
        test (np.ndarray): Other clips.
        seed (int): Seed of the random features.

    Returns:
        tuple[np.ndarray, np.ndarray]: float32 ``(N, 9996)`` each.
    """
    check_baselines(['MiniRocket'])
    from aeon.transformations.collection.convolution_based import MiniRocket

    transform = MiniRocket(random_state=seed).fit(as_series(train))
    one, other = (transform.transform(as_series(clips)) for clips in (train, test))
    return np.asarray(one, np.float32), np.asarray(other, np.float32)
