"""The queue of negatives."""

import pytest
import torch

from hiclr_mmaction.models.modules import FeatureQueue


@pytest.mark.parametrize('sizes', [[3, 3, 3, 3, 3], [7, 1, 7, 2], [10], [4, 10, 9]])
def test_any_batch_wraps_around(sizes):
    queue = FeatureQueue(10, 2)
    rows = queue.features.clone()
    count = 0
    for size in sizes:
        keys = torch.arange(count, count + size).float()[:, None].repeat(1, 2)
        for i, key in enumerate(keys):
            rows[(count + i) % 10] = key
        queue.enqueue(keys)
        count += size
    assert torch.equal(queue.features, rows)
    assert int(queue.pointer) == count % 10


def test_rows_have_unit_length_at_first():
    torch.testing.assert_close(FeatureQueue(50, 8).features.norm(dim=1), torch.ones(50))


def test_smaller_than_a_batch_is_an_error():
    with pytest.raises(ValueError, match='queue_size=3 is smaller than the batch of 4'):
        FeatureQueue(3, 2).enqueue(torch.zeros(4, 2))
    for size in (0, 128.5, True):
        with pytest.raises(ValueError, match=f'queue_size={size} holds no negative'):
            FeatureQueue(size, 2)
