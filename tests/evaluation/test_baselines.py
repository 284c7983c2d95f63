"""Baselines on the aligned joints."""

import numpy as np
import pytest

from hiclr_mmaction.evaluation.baselines import (
    BASELINES,
    NEED_AEON,
    as_series,
    as_vectors,
    check_baselines,
    minirocket_features,
)


@pytest.fixture(scope='module')
def waves():
    """Clips of two classes that differ in the speed of a wave, (N, M, T, V, C)."""
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    time = np.linspace(0, 2 * np.pi, 40)
    clips = np.zeros((24, 1, 40, 5, 3), np.float32)
    for clip, label in zip(clips, labels, strict=True):
        phase = rng.uniform(0, 0.5)
        clip[0, :, 2, 0] = np.sin((1 + 2 * label) * time + phase)
    return clips + rng.normal(0, 0.05, clips.shape).astype(np.float32), labels


# aeon compiles its loops when they are first used, for a minute.
@pytest.mark.parametrize(
    'name',
    [
        pytest.param(n, marks=pytest.mark.slow if n in NEED_AEON else ())
        for n in BASELINES
    ],
)
def test_learns_what_tells_two_classes_apart(name, waves):
    if name in NEED_AEON:
        pytest.importorskip('aeon')
    clips, labels = waves
    model = BASELINES[name]().fit(clips[:16], labels[:16])
    assert (model.predict(clips[16:]) == labels[16:]).all()


def test_vectors_hold_every_coordinate_of_each_frame():
    clips = np.arange(2 * 1 * 32 * 4 * 3, dtype=np.float32).reshape(2, 1, 32, 4, 3)
    vectors = as_vectors(clips)
    assert vectors.shape == (2, 32 * 4 * 3)
    assert np.array_equal(vectors[1], clips[1].ravel())


def test_a_series_is_one_coordinate_of_one_joint_over_time():
    clips = np.random.default_rng(0).normal(size=(2, 2, 64, 4, 3)).astype(np.float32)
    series = as_series(clips)
    assert series.shape == (2, 2 * 4 * 3, 64)
    person, joint, coordinate = 1, 2, 0
    channel = (person * 4 + joint) * 3 + coordinate
    assert np.allclose(series[0, channel], clips[0, person, :, joint, coordinate])


@pytest.mark.slow
def test_minirocket_features_depend_on_the_seed_alone(waves):
    pytest.importorskip('aeon')
    clips, _ = waves
    one, _ = minirocket_features(clips[:8], clips[8:], seed=0)
    again, other = minirocket_features(clips[:8], clips[8:], seed=0)
    reseeded, _ = minirocket_features(clips[:8], clips[8:], seed=1)
    assert one.shape[1] == other.shape[1] > 9000
    assert np.array_equal(one, again)
    assert not np.array_equal(one, reseeded)


def test_an_unknown_baseline_is_named_with_those_that_are_known():
    with pytest.raises(ValueError, match=r"\['SVM'\] are unknown.*MiniRocket"):
        check_baselines(['SVM'])
