"""The averaged key encoder is mmengine's."""

import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from hiclr_mmaction.models.modules import ForeachEMA


def source():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def move(model):
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.add_(1)


def test_is_mmengines_average_step_by_step_and_after_loading():
    model = source()
    averages = [cls(model, 0.1) for cls in (ForeachEMA, ExponentialMovingAverage)]
    for _ in range(3):
        move(model)
        for average in averages:
            average.update_parameters(model)
        ours, theirs = (average.state_dict() for average in averages)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)
    loaded = ForeachEMA(source(), 0.1)
    loaded.load_state_dict(averages[1].state_dict())
    move(model)
    for average in (loaded, averages[1]):
        average.update_parameters(model)
    ours, theirs = loaded.state_dict(), averages[1].state_dict()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)
    assert not torch.equal(loaded.module[0].weight, model[0].weight)


def test_starts_as_a_copy_again_where_its_state_was_put_back_in_place():
    model = source()
    average = ForeachEMA(model, 0.1)
    before = {name: value.clone() for name, value in average.state_dict().items()}
    average.update_parameters(model)
    for name, value in average.state_dict().items():
        value.copy_(before[name])
    move(model)
    average.update_parameters(model)
    assert torch.equal(average.module[0].weight, model[0].weight)
    assert average.steps == 1
