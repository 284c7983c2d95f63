"""What data workers draw: different views in each epoch, worker and rank."""

import random
from functools import partial

import numpy as np
import pytest
import torch
from mmengine.dataset import worker_init_fn
from torch.utils.data import DataLoader, Dataset

from hiclr_mmaction.datasets.seeded import SeededDataset, SeededSampler
from hiclr_mmaction.views import worker_generator


class Draws(Dataset):
    """Each item is a draw of the generator that transforms use."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.rand((), generator=worker_generator())


def epochs(count, workers=2, rank=0, persistent=False, seed=0):
    torch.manual_seed(seed)
    init = partial(worker_init_fn, num_workers=workers, rank=rank, seed=seed)
    loader = DataLoader(
        Draws(),
        batch_size=1,
        num_workers=workers,
        worker_init_fn=init if workers else None,
        persistent_workers=persistent,
    )
    return [torch.cat(list(loader)) for _ in range(count)]


@pytest.mark.parametrize(('workers', 'persistent'), [(0, False), (2, False), (2, True)])
def test_no_draw_comes_twice_in_an_epoch_or_in_the_next(workers, persistent):
    first, second = epochs(2, workers, persistent=persistent)
    assert len(torch.cat([first, second]).unique()) == 16


@pytest.mark.parametrize('workers', [0, 2])
def test_the_seed_of_a_run_repeats_its_draws(workers):
    once, again = epochs(2, workers), epochs(2, workers)
    for a, b in zip(once, again, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(once[0], epochs(1, workers, seed=1)[0])


def test_ranks_with_the_same_seed_draw_differently():
    both = torch.cat([*epochs(1, rank=0), *epochs(1, rank=1)])
    assert len(both.unique()) == 16


class AllDraws(Draws):
    """Each item is a draw of every generator that a pipeline may use."""

    def __getitem__(self, index):
        ours = super().__getitem__(index)
        return torch.tensor([ours, torch.rand(()), random.random(), np.random.rand()])


def seeded_epochs(count, workers, persistent=False, seed=5, start=0, batch_size=2):
    dataset = SeededDataset(AllDraws())
    sampler = SeededSampler(dataset, dict(type='DefaultSampler'), seed)
    loader = DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=persistent,
        generator=torch.Generator(),  # or the loader draws from torch's, too
    )
    found = []
    for epoch in range(count):
        sampler.set_epoch(epoch)
        sampler.start = start
        found.append(torch.cat(list(loader)))
    return found


class TestSeededSamples:
    @pytest.mark.parametrize(
        ('workers', 'persistent', 'batch_size'), [(2, False, 2), (2, True, 4)]
    )
    def test_draws_do_not_depend_on_who_makes_them(
        self, workers, persistent, batch_size
    ):
        one = seeded_epochs(2, workers=1)
        other = seeded_epochs(2, workers, persistent, batch_size=batch_size)
        for a, b in zip(one, other, strict=True):
            assert torch.equal(a, b)

    def test_no_draw_comes_twice(self):
        both = torch.cat([*seeded_epochs(2, 1), *seeded_epochs(1, 1, seed=6)])
        assert len(both.unique()) == both.numel()

    def test_an_epoch_can_begin_anywhere(self):
        (whole,) = seeded_epochs(1, 1)
        (rest,) = seeded_epochs(1, 1, start=4)
        assert torch.equal(rest, whole[4:])

    def test_the_main_process_draws_on(self):
        torch.manual_seed(0)
        first = torch.rand(())
        torch.manual_seed(0)
        (draws,) = seeded_epochs(1, workers=0)
        assert draws[0, 0] == first

    def test_a_seed_that_is_restored_is_the_samplers_too(self):
        dataset = Draws()
        one = SeededSampler(dataset, dict(type='DefaultSampler'), 1)
        two = SeededSampler(dataset, dict(type='DefaultSampler'), 2)
        assert list(one) != list(two)
        two.seed = one.seed
        assert [(i, i.entropy) for i in two] == [(i, i.entropy) for i in one]

    def test_a_data_set_that_makes_a_batch_at_once_is_asked_for_it(self):
        class Batches(Draws):
            def __getitems__(self, indices):
                return [torch.tensor(indices)]

        dataset = SeededDataset(Batches())
        loader = DataLoader(dataset, batch_size=4, collate_fn=lambda batch: batch[0])
        assert [batch.tolist() for batch in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]
