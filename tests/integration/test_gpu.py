"""What a GPU is to do, as far as it goes on a CPU as well."""

import copy
from contextlib import contextmanager

import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.registry import DATASETS, HOOKS, MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

DEVICES = ['cpu', pytest.param('cuda', marks=pytest.mark.gpu)]


@pytest.fixture
def cfg(tmp_path):
    return synthetic_config(tmp_path)


def build(cfg, device):
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model.to(device).train()


def clips(cfg, device='cpu'):
    joints = 25
    frames = cfg.align.num_frames
    return torch.randn(8, 1, frames, joints, 3, device=device)


def step(model, wrapper, inputs):
    """One step; returns its loss, which is still on the device."""
    with wrapper.optim_context(model):
        views = model.data_preprocessor(dict(inputs=inputs), True)['inputs']
        loss, _ = model.parse_losses(model.loss(views))
    wrapper.update_params(loss)
    return loss.detach()


@contextmanager
def no_waiting(device):
    """An error where the program waits for the GPU."""
    if device == 'cpu':
        yield
        return
    torch.cuda.set_sync_debug_mode('error')
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode('default')


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize(
    'options',
    [
        {},
        {'model.graph_augment': dict(drop=0.1, add=0.05)},
        {'model.data_preprocessor.ada_in': dict(dims='TV')},
        {'model.mining': dict(topk=1, begin=0)},
        {'optim_wrapper.type': 'BFloat16OptimWrapper'},
    ],
)
def test_a_step_does_not_wait_for_the_device(cfg, device, options):
    cfg.merge_from_dict(options)
    model = build(cfg, device)
    model.set_epoch(0)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    x = clips(cfg, device)
    step(model, wrapper, x)  # the first one reads what is then known
    with no_waiting(device):
        loss = step(model, wrapper, x)
    assert loss.isfinite()


@pytest.mark.parametrize('device', DEVICES)
def test_loss_and_gradients_are_those_of_the_stock_blocks_on_a_cpu(cfg, device):
    cfg.model.backbone.tcn_dropout = 0
    ours = build(cfg, 'cpu').double()
    stock = copy.deepcopy(ours)
    stock.backbone.frames_first = False
    ours.to(device)
    x = clips(cfg).double()
    gradients = []
    for model, x_there in ((ours, x.to(device)), (stock, x)):
        views = dict(key=x_there, queries=[x_there, x_there, x_there])
        loss, _ = model.parse_losses(model.loss(views))
        loss.backward()
        gradients.append([p.grad.cpu() for p in model.backbone.parameters()])
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('kind', ['BFloat16OptimWrapper', 'Float16OptimWrapper'])
def test_half_precision_trains(cfg, device, kind):
    cfg.optim_wrapper.type = kind
    model = build(cfg, device)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = model.backbone.data_bn.weight.detach().clone()
    losses = [step(model, wrapper, clips(cfg, device)) for _ in range(3)]
    assert torch.stack(losses).isfinite().all()
    assert not torch.equal(before, model.backbone.data_bn.weight)


@pytest.mark.parametrize('device', DEVICES)
def test_resident_clips_lie_on_the_device(cfg, device):
    dataset = cfg.train_dataloader.dataset
    resident = DATASETS.build(
        dict(type='ResidentClips', dataset=dataset, device=device)
    )
    assert resident.clips.device.type == device


@pytest.mark.gpu
def test_compiled_encoders_train(cfg):
    model = build(cfg, 'cuda')
    HOOKS.build(dict(type='AccelerationHook')).accelerate(model, torch.device('cuda'))
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    for encoder in model.encoders.values():
        assert encoder._compiled_call_impl is not None
    assert step(model, wrapper, clips(cfg, 'cuda')).isfinite()


@pytest.mark.gpu
def test_a_run_of_the_fast_kind_trains_and_validates(cfg):
    cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
    cfg.custom_hooks.append(dict(type='AccelerationHook'))
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert next(runner.model.parameters()).is_cuda
    assert runner.message_hub.get_scalar('val/knn/k1').current() > 0
