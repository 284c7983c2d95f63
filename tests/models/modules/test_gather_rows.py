"""Losses of the whole batch, from parts of it on several ranks."""

import importlib

import pytest
import torch

from hiclr_mmaction.models.modules import gather_rows

MODULE = importlib.import_module(gather_rows.__module__)


def of_rank(rank, parts, monkeypatch):
    """What a rank gathers, its own part with a graph."""
    monkeypatch.setattr(MODULE, 'get_world_size', lambda: len(parts))
    monkeypatch.setattr(MODULE, 'get_rank', lambda: rank)
    monkeypatch.setattr(MODULE, 'all_gather', lambda x: [p.detach() for p in parts])
    return gather_rows(parts[rank])


def loss_of(rows):
    return (rows.T @ rows).square().sum()


def test_mean_gradient_of_the_ranks_is_that_of_one_process(monkeypatch):
    weight = torch.randn(4, 4, dtype=torch.float64)
    x = torch.randn(6, 4, dtype=torch.float64)
    whole = weight.clone().requires_grad_()
    loss_of(x @ whole).backward()
    gradients = []
    for rank in range(3):
        mine = weight.clone().requires_grad_()
        rows = of_rank(rank, [part @ mine for part in x.chunk(3)], monkeypatch)
        assert torch.equal(rows, x @ weight)
        loss_of(rows).backward()
        gradients.append(mine.grad)
    torch.testing.assert_close(torch.stack(gradients).mean(0), whole.grad)


def test_one_process_has_its_rows_already():
    x = torch.randn(3, 2)
    assert gather_rows(x) is x


@pytest.mark.parametrize('rank', [0, 1])
def test_half_precision_stays_as_it_is(rank, monkeypatch):
    parts = [torch.randn(3, 2).bfloat16() for _ in range(2)]
    rows = of_rank(rank, parts, monkeypatch)
    assert torch.equal(rows, torch.cat(parts))
