"""What data workers draw: different views in each epoch, worker and rank."""

from functools import partial

import pytest
import torch
from mmengine.dataset import worker_init_fn
from torch.utils.data import DataLoader, Dataset

from hiclr_mmaction.datasets.transforms import worker_generator


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
