"""A value goes where views are masked, and nowhere else."""

import torch

from hiclr_mmaction.models.modules import fill_masked


def views(n=4, persons=2):
    return [torch.randn(n, persons, 8, 20, 3) for _ in range(3)]


def every_other_frame():
    mask = torch.zeros(4, 8, 20, dtype=torch.bool)
    mask[:, ::2, 5] = True
    return mask


def test_one_mask_is_of_the_last_view():
    x, mask = views(), every_other_frame()
    filled = fill_masked(x, mask, torch.tensor([7.0]))
    assert torch.equal(filled[0], x[0])
    assert torch.equal(filled[1], x[1])
    masked = mask[:, None].expand(-1, 2, -1, -1)
    assert (filled[2][masked] == 7).all()
    assert torch.equal(filled[2][~masked], x[2][~masked])


def test_a_list_masks_each_view_by_its_own_and_without_a_value_by_0():
    x, mask = views(), every_other_frame()
    filled = fill_masked(x, [None, mask, ~mask], None)
    assert torch.equal(filled[0], x[0])
    assert (filled[1].transpose(0, 1)[:, mask] == 0).all()
    assert (filled[2].transpose(0, 1)[:, ~mask] == 0).all()


def test_a_mask_of_coordinates_leaves_the_others():
    x, mask = views(persons=1), every_other_frame()
    value = torch.nn.Parameter(torch.tensor([7.0]))
    filled = fill_masked(x, mask[..., None] & torch.tensor([1, 1, 0]).bool(), value)
    assert (filled[2][mask[:, None]][:, :2] == 7).all()
    assert torch.equal(filled[2][..., 2], x[2][..., 2])
    filled[2].sum().backward()
    assert value.grad == 2 * mask.sum()


def test_the_value_has_a_gradient_where_nothing_is_masked():
    value = torch.nn.Parameter(torch.tensor([7.0]))
    fill_masked(views(), None, value)[2].sum().backward()
    assert value.grad == 0
