"""Accuracies over the fraction of the labels."""

import numpy as np
import pytest

from hiclr_mmaction.datasets import choose_clips
from hiclr_mmaction.evaluation.label_curve import (
    CHOSEN,
    DEFAULT_BASELINES,
    EvaluatedClips,
    baseline_accuracies,
    choices,
    conclusions,
    over_seeds,
    readout_accuracies,
)

JOINTS = [name for name in DEFAULT_BASELINES if 'joints' in name]


def split(count, seed):
    """Clips whose features tell the class and whose coordinates are noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    return EvaluatedClips(
        rng.normal(size=(count, 1, 32, 5, 3)).astype(np.float32),
        np.eye(8)[labels] + rng.normal(0, 0.1, (count, 8)),
        labels,
        [f'clip{seed}_{i}' for i in range(count)],
    )


def test_readouts_see_the_features_and_baselines_the_clips():
    train, test = split(60, 0), split(60, 1)
    found, chosen = readout_accuracies(train, test, 0.5, 0)
    assert min(found.values()) > 0.9
    assert found[CHOSEN] == found[chosen]
    assert max(baseline_accuracies(train, test, 0.5, 0, JOINTS).values()) < 0.7


def test_only_the_labels_of_the_fraction_are_used():
    train, test = split(60, 0), split(60, 1)
    kept = choose_clips(train.names, train.labels.tolist(), 5, 0.2)
    spoilt = train.labels.copy()
    others = np.setdiff1d(np.arange(60), kept)
    # The others' labels change places within their class counts.
    spoilt[others] = np.roll(spoilt[others], 1)
    few, few_spoilt = (
        EvaluatedClips(train.clips, train.features, labels, train.names).take(kept)
        for labels in (train.labels, spoilt)
    )
    assert (few.labels == few_spoilt.labels).all()
    found = readout_accuracies(train, test, 0.2, 5)
    assert found == readout_accuracies(few, test, 1.0, 5)


def test_a_smaller_fraction_is_part_of_a_larger_one():
    train = split(60, 0)
    few, more = (
        set(choose_clips(train.names, train.labels.tolist(), 3, f)) for f in (0.1, 0.5)
    )
    assert few < more
    assert len(few) == 6


@pytest.mark.filterwarnings('error')
def test_one_clip_of_each_of_many_classes_is_no_reason_to_warn():
    clips = split(60, 0)
    many = EvaluatedClips(clips.clips, clips.features, np.arange(60), clips.names)
    assert readout_accuracies(many, many, 1.0, 0)[0]['nearest neighbour'] == 1


@pytest.mark.slow
def test_the_hybrid_reads_what_either_knows():
    pytest.importorskip('aeon')
    train, test = split(60, 0), split(60, 1)
    found, _ = readout_accuracies(train, test, 1.0, 0, hybrid=True)
    assert found['hybrid: ridge on features and MiniRocket'] > 0.8


def test_choices_of_the_rule_are_counted():
    chosen = {(0.5, 0): 'ridge', (0.1, 2): 'ridge', (0.1, 0): 'class mean'}
    assert choices({**chosen, (0.1, 1): 'ridge'}) == [
        '10 % of labels: the rule chose class mean (1 of 3 seeds), ridge (2 of 3 seeds)',
        '50 % of labels: the rule chose ridge (1 of 1 seeds)',
    ]


def test_conclusions_compare_the_chosen_readout_with_the_best_baseline():
    cells = {}
    for seed, gain in enumerate((0.0, 0.01, 0.02)):
        cells[CHOSEN, 0.1, seed] = 0.8 + gain
        cells['1-NN on joints', 0.1, seed] = 0.5
        cells['MiniRocket', 0.1, seed] = 0.6
        cells['ridge', 0.1, seed] = 0.9  # the encoder's too, so no baseline
    (said,) = conclusions(over_seeds(cells))
    assert said.startswith('10 % of labels: Pre-training helped: 21.0 points')
    assert 'MiniRocket' in said
