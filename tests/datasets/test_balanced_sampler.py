"""Sets are drawn equally often, on any number of ranks, the same after a resume."""

from collections import Counter

import pytest
from mmaction.registry import DATA_SAMPLERS
from torch.utils.data import ConcatDataset

from hiclr_mmaction.datasets import balanced_sampler
from hiclr_mmaction.datasets.seeded import SeededDataset, SeededSampler

SIZES = (5, 20, 75)


def several(*sizes):
    return ConcatDataset([range(size) for size in sizes or SIZES])


def build(monkeypatch=None, rank=0, world_size=1, **settings):
    if monkeypatch is not None:
        info = (rank, world_size)
        monkeypatch.setattr(balanced_sampler, 'get_dist_info', lambda: info)
    settings = dict(dict(dataset=several(), seed=0), **settings)
    return DATA_SAMPLERS.build(dict(type='BalancedSampler', **settings))


def draws_of_sets(indices):
    """How often each set was drawn."""
    ends = (5, 25, 100)
    return [sum(end - size <= i < end for i in indices)
            for size, end in zip(SIZES, ends, strict=True)]  # fmt: skip


def test_each_set_is_drawn_equally_often():
    sampler = build(num_samples=90)
    assert draws_of_sets(sampler) == sampler.quotas == [30, 30, 30]


def test_clips_of_a_small_set_are_repeated_equally_often():
    counts = Counter(i for i in build(num_samples=96) if i < 5)
    assert sorted(counts.values()) == [6, 6, 6, 7, 7]
    large = [i for i in build(num_samples=96) if i >= 25]
    assert len(set(large)) == len(large)


@pytest.mark.parametrize(
    ('power', 'quotas'), [(1, [5, 20, 75]), (0, [33, 33, 34]), (0.5, [15, 29, 56])]
)
def test_power_of_the_sizes(power, quotas):
    found = build(power=power).quotas
    assert sum(found) == 100
    assert all(abs(a - b) <= 1 for a, b in zip(found, quotas, strict=True))


def test_epochs_differ_and_the_same_one_is_the_same():
    first, again = build(), build()
    assert list(first) == list(again)
    again.set_epoch(1)
    assert list(first) != list(again)
    assert list(build(seed=1)) == list(again)  # as mmengine's samplers count


@pytest.mark.parametrize('world_size', [2, 3])
def test_ranks_share_an_epoch(monkeypatch, world_size):
    ranks = [build(monkeypatch, rank, world_size) for rank in range(world_size)]
    assert len({len(list(sampler)) for sampler in ranks}) == 1
    together = [i for sampler in ranks for i in sampler]
    assert draws_of_sets(together) == ranks[0].quotas
    if world_size == 2:
        assert sorted(together) == sorted(build(monkeypatch))


def test_an_epoch_goes_on_where_it_was_left():
    dataset = SeededDataset(several())  # as ResumableTrainLoop wraps it
    whole, rest = (
        SeededSampler(dataset, dict(type='BalancedSampler', power=0.5), seed=3)
        for _ in range(2)
    )
    for sampler in (whole, rest):
        sampler.set_epoch(2)
    rest.start = 37
    assert list(rest) == list(whole)[37:]
    assert len(whole) == 100


def test_wrong_settings_are_told():
    with pytest.raises(ValueError, match='range, not several'):
        build(dataset=range(9))
    with pytest.raises(ValueError, match='power=-1'):
        build(power=-1)
    with pytest.raises(ValueError, match='num_samples=2'):
        build(num_samples=2)
