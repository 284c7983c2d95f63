"""Fusion of streams: the arithmetic, and what is refused before it."""

import numpy as np
import pytest

from hiclr_mmaction.evaluation import Scores, accuracies, fuse_scores


def stream(scores, labels=(0, 1, 1), names=('a', 'b', 'c')):
    return Scores(np.array(scores, float), np.array(labels), list(names))


JOINT = stream([[0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.6, 0.1, 0.3]])
BONE = stream([[0.3, 0.4, 0.3], [0.1, 0.9, 0.0], [0.5, 0.3, 0.2]])


def test_weights_are_equal_by_default():
    fused = fuse_scores(dict(joint=JOINT, bone=BONE))
    np.testing.assert_allclose(fused, JOINT.scores + BONE.scores)
    assert fused.argmax(1).tolist() == [0, 1, 0]


def test_weights_weigh():
    fused = fuse_scores(dict(joint=JOINT, bone=BONE), [0.6, 0.4])
    np.testing.assert_allclose(fused, 0.6 * JOINT.scores + 0.4 * BONE.scores)
    alone = fuse_scores(dict(joint=JOINT, bone=BONE), [0, 1])
    np.testing.assert_array_equal(alone, BONE.scores)


def test_accuracies_are_of_clips_and_of_classes():
    """Two of three clips right; of class 0 all, of class 1 half."""
    fused = fuse_scores(dict(joint=JOINT, bone=BONE))
    assert accuracies(fused, JOINT.labels) == pytest.approx(
        dict(top1=2 / 3, top5=1.0, mean_class=0.75)
    )


def test_top5_counts_the_five_highest():
    scores = np.tile(np.arange(7.0), (2, 1))  # class 6 first, then 5, 4, 3, 2
    result = accuracies(scores, np.array([2, 1]))
    assert result == dict(top1=0.0, top5=0.5, mean_class=0.0)


@pytest.mark.parametrize(
    ('other', 'message'),
    [
        (stream(BONE.scores[:2], (0, 1), 'ab'), 'differ in length: 3 and 2 clips'),
        (
            stream(BONE.scores, names='acb'),
            r"differ in clips or their order, first at clip 1: 'b' \(label 1\) and 'c'",
        ),
        (
            stream(BONE.scores, labels=(0, 2, 1)),
            r"differ in labels, first at clip 1: 'b' \(label 1\) and 'b' \(label 2\)",
        ),
        (stream(BONE.scores[:, :2]), 'have 3 and 2 classes'),
        (
            stream([[1, 0, 0], [np.nan, 0, 0], [1, 0, 0]]),
            'bone: the scores of 1 clips are not finite, the first is clip 1',
        ),
    ],
)
def test_streams_of_other_clips_are_refused(other, message):
    with pytest.raises(ValueError, match=message):
        fuse_scores(dict(joint=JOINT, bone=other))


def test_files_without_names_are_compared_by_labels():
    unnamed = [
        stream(JOINT.scores, labels, [''] * 3) for labels in ((0, 1, 1), (1, 0, 1))
    ]
    fuse_scores(dict(a=unnamed[0], b=unnamed[0]))
    with pytest.raises(ValueError, match='differ in labels, first at clip 0'):
        fuse_scores(dict(a=unnamed[0], b=unnamed[1]))


@pytest.mark.parametrize(
    ('weights', 'message'),
    [
        ([1], '1 weights for 2 score files'),
        ([1, 1, 1], '3 weights for 2 score files'),
        ([1, -1], 'must not be negative'),
        ([0, 0], 'nor all of them 0'),
        ([1, float('nan')], 'must not be negative'),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        fuse_scores(dict(joint=JOINT, bone=BONE), weights)
