"""Closed-form read-outs, and the choice among them."""

import numpy as np
import pytest

from hiclr_mmaction.evaluation.readouts import (
    READOUTS,
    Accuracies,
    ChosenReadout,
    ViewWhitening,
    cross_validate,
    ridge_classifier,
    verdict,
)


def blobs(per_class, classes=4, dim=16, spread=0.3, seed=0):
    rng = np.random.default_rng(seed)
    means = np.random.default_rng(99).normal(size=(classes, dim))
    labels = np.repeat(np.arange(classes), per_class)
    return means[labels] + rng.normal(0, spread, (len(labels), dim)), labels


@pytest.mark.parametrize('name', READOUTS)
def test_every_readout_tells_separate_classes_apart(name):
    model = READOUTS[name]().fit(*blobs(5))
    features, labels = blobs(10, seed=1)
    assert (model.predict(features) == labels).mean() > 0.95


def test_ridge_uses_a_difference_that_distances_drown():
    rng = np.random.default_rng(0)

    def draw(n):
        labels = np.arange(n) % 2
        features = rng.normal(size=(n, 40))
        features[:, 3] = 8 * rng.normal(size=n)
        features[:, 4] = features[:, 3] + 2 * labels - 1
        return features, labels

    train, test = draw(200), draw(200)
    chosen = ChosenReadout().fit(*train)
    assert chosen.name_ == 'ridge'
    assert chosen.accuracies_['ridge'] > chosen.accuracies_['nearest neighbour']
    assert (chosen.predict(test[0]) == test[1]).mean() > 0.95


def four_directions(noise):
    """Two classes, each in two opposite directions: no line divides them."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    angles = np.pi / 2 * (np.arange(40) % 4) + rng.normal(0, noise, 40)
    return np.stack([np.cos(angles), np.sin(angles)], 1), labels


def test_the_nearest_neighbour_is_chosen_where_it_is_clearly_better():
    chosen = ChosenReadout().fit(*four_directions(noise=0.1))
    assert chosen.name_ == 'nearest neighbour'
    assert chosen.accuracies_['nearest neighbour'] == 1


def test_a_gain_within_the_standard_error_does_not_change_the_readout():
    features, labels = blobs(10, classes=2, dim=2, spread=1.5, seed=1)
    chosen = ChosenReadout(['nearest neighbour', 'class mean', 'ridge'])
    chosen.fit(features, labels)
    gains = [
        v - chosen.accuracies_['nearest neighbour'] for v in chosen.accuracies_.values()
    ]
    assert 0 < max(gains) < 0.1
    assert chosen.name_ == 'nearest neighbour'


def clips_and_views(num_clips, seed):
    """The class is in one weak direction; six strong ones change with the view."""
    rng = np.random.default_rng(seed)
    labels = np.arange(num_clips) % 2
    clips = rng.normal(0, 0.1, (num_clips, 20))
    clips[:, 3] += labels
    views = clips[:, None] + rng.normal(0, 0.05, (num_clips, 6, 20))
    views[..., 7:13] += rng.normal(0, 20, (num_clips, 6, 6))
    return views, labels


def test_whitening_disregards_what_views_change_without_a_label():
    (views, labels), (test, test_labels) = (
        clips_and_views(60, 0),
        clips_and_views(60, 1),
    )

    def accuracy(train, features):
        model = READOUTS['nearest neighbour']().fit(train, labels)
        return (model.predict(features) == test_labels).mean()

    whitening = ViewWhitening().fit(views)
    x, test_x = whitening.transform(views), whitening.transform(test[:, 0])
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1)
    assert accuracy(views[:, 0], test[:, 0]) < 0.7
    assert accuracy(x, test_x) > 0.95


def test_whitened_views_of_a_clip_spread_alike_in_all_directions():
    views, _ = clips_and_views(80, 0)
    whitening = ViewWhitening(shrinkage=1e-6).fit(views)
    rows = whitening.scaler_.transform(views.reshape(-1, 20))
    rows = (whitening.pca_.transform(rows) @ whitening.whitening_).reshape(80, 6, -1)
    inner = (rows - rows.mean(1, keepdims=True)).reshape(480, -1)
    covariance = inner.T @ inner / (80 * 5)
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=0.01)


def test_whitening_needs_two_views():
    with pytest.raises(ValueError, match='1 view of each clip: whitening needs 2'):
        ViewWhitening().fit(np.zeros((5, 1, 3)))


def test_one_clip_a_class_falls_back_to_the_nearest_neighbour():
    features, labels = blobs(1)
    chosen = ChosenReadout().fit(features, labels)
    assert chosen.name_ == 'nearest neighbour'
    assert chosen.accuracies_ == {}
    assert (chosen.predict(features) == labels).all()


def test_two_clips_of_a_class_are_too_few_to_compare_readouts_by():
    features, labels = blobs(4)
    keep = np.r_[:12, 12, 13]  # three classes of four clips, one of two
    chosen = ChosenReadout().fit(features[keep], labels[keep])
    assert chosen.name_ == 'ridge'
    assert chosen.accuracies_ == {}
    assert chosen.predict(features[14:16]).tolist() == [3, 3]


def test_a_class_of_one_clip_stays_in_the_training_part():
    features, labels = blobs(4)
    models = {'nn': READOUTS['nearest neighbour']()}
    assert cross_validate(models, features[:13], labels[:13]) == {'nn': 1.0}


def test_cross_validation_never_tests_on_what_it_learned():
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(60, 8)), np.arange(60) % 2
    found = cross_validate({'nn': READOUTS['nearest neighbour']()}, noise, labels)
    assert 0.3 < found['nn'] < 0.7


def test_an_unknown_readout_is_named():
    with pytest.raises(ValueError, match=r"\['svm'\] are unknown; known are nearest"):
        ChosenReadout(readouts=['svm']).fit(*blobs(3))


def test_mean_and_spread_are_over_the_seeds():
    assert str(Accuracies((0.5, 0.6, 0.7))) == '60.0 ± 10.0'
    assert str(Accuracies((0.5,))) == '50.0'


class TestVerdict:
    baselines = {
        '1-NN on joints': Accuracies((0.50, 0.50, 0.50)),
        'MiniRocket': Accuracies((0.70, 0.71, 0.72)),
    }

    def test_names_the_best_baseline_and_the_gap(self):
        said = verdict(Accuracies((0.80, 0.81, 0.82)), self.baselines)
        assert said.startswith('Pre-training helped: 10.0 points')
        assert 'MiniRocket' in said

    def test_says_so_where_it_did_not_help(self):
        said = verdict(Accuracies((0.60, 0.61, 0.62)), self.baselines)
        assert said.startswith('Pre-training did not help: -10.0 points')

    def test_calls_a_gap_within_the_spread_no_difference(self):
        said = verdict(Accuracies((0.66, 0.72, 0.79)), self.baselines)
        assert said.startswith('No difference')

    def test_does_not_judge_by_one_seed(self):
        said = verdict(Accuracies((0.80,)), self.baselines)
        assert said.startswith('One seed')
        assert 'run three' in said


def views_of(features, num=6, seed=0):
    """Views that differ in the first two coordinates alone, by much."""
    rng = np.random.default_rng(seed)
    views = np.repeat(features[:, None], num, 1)
    views[..., :2] += rng.normal(0, 5, (*views.shape[:2], 2))
    return views


def test_linear_map_is_the_whitening_but_for_the_length():
    views = views_of(blobs(5)[0])
    whitening = ViewWhitening().fit(views)
    matrix, offset = whitening.linear_map()
    x = blobs(5, seed=1)[0] @ matrix + offset
    expected = whitening.transform(blobs(5, seed=1)[0])
    np.testing.assert_allclose(
        x / np.linalg.norm(x, axis=1, keepdims=True), expected, atol=1e-6
    )


class TestRidgeClassifier:
    def scores(self, views, labels, num_classes=4):
        weight, bias = ridge_classifier(views, labels, num_classes)
        assert (weight.dtype, bias.dtype) == (np.float32, np.float32)
        test_views = views_of(blobs(10, seed=1)[0], seed=1)[:, 0]
        return test_views @ weight.T + bias, blobs(10, seed=1)[1]

    def test_ignores_how_views_differ_with_one_label_a_class(self):
        features, labels = blobs(8)
        known = np.where(np.arange(len(labels)) % 8 == 0, labels, -1)
        scores, test_labels = self.scores(views_of(features), known)
        assert (scores.argmax(1) == test_labels).mean() > 0.9
        # Confident, though leave-one-out knows no penalty for one clip a class.
        others = np.delete(scores, np.argmax(scores, 1) + 4 * np.arange(len(scores)))
        assert scores.max(1).mean() - others.mean() > 4

    def test_a_class_without_clips_is_never_likely(self):
        features, labels = blobs(8)
        scores, _ = self.scores(views_of(features), labels, num_classes=5)
        assert (scores[:, 4] < -4).all()

    def test_views_that_are_all_the_same(self):
        features, labels = blobs(8)
        weight, bias = ridge_classifier(np.repeat(features[:, None], 2, 1), labels, 4)
        test_features, test_labels = blobs(10, seed=1)
        scores = test_features @ weight.T + bias
        assert (scores.argmax(1) == test_labels).mean() > 0.9
