"""One pre-training step and an inference against the released code's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.references import load_reference
from mmaction.registry import MODELS

from hiclr_mmaction.checkpoint import from_hiclr

BACKBONE = dict(
    type='HiCLRSTGCN', graph_cfg=dict(layout='nturgb+d-stgcn', mode='stgcn_spatial')
)
LOSSES = dict(loss_contrast=1.0, loss_level1=0.5, loss_level2=0.5)
GRADIENTS = {
    'mask_param': 'mask_token',
    'edge_importance1': 'backbone.gcn.0.gcn.PA',
    'gcn0.conv.weight': 'backbone.gcn.0.gcn.conv.weight',
    'fc.2.weight': 'neck.mlp.2.weight',
}


def weights(ref):
    prefix = 'weight.'
    return {k.removeprefix(prefix): v for k, v in ref.items() if k.startswith(prefix)}


def step(ref, mining, **backbone):
    """The model and what its loss gives, after one forward and backward."""
    model = MODELS.build(
        dict(
            type='HiCLR',
            backbone=dict(BACKBONE, **backbone),
            neck=dict(type='SkeletonProjector'),
            head=dict(type='HierarchicalContrastHead'),
            queue_size=256,
            mining=dict(topk=1),
        )
    )
    model.load_state_dict(from_hiclr(weights(ref)))
    model.train()
    model.mining_active = mining
    inputs = dict(
        key=ref['input.k'],
        queries=[ref['input.q'], ref['input.q1'], ref['input.q2']],
        mask=(ref['mask_TV'] == 0).expand(8, -1, -1),
    )
    out = model.loss(inputs)
    sum(out[name] for name in LOSSES).backward()
    return model, out


@pytest.fixture(scope='module')
def ref():
    return load_reference('pretrain_step')


@pytest.fixture(scope='module', params=['plain', 'mined'])
def stepped(request, ref):
    return request.param, *step(ref, mining=request.param == 'mined')


def test_losses(ref, stepped):
    mode, _, out = stepped
    for name, weight in LOSSES.items():
        expected = ref[f'out.{mode}.{name}'] * weight
        torch.testing.assert_close(out[name], expected, rtol=1e-5, atol=0)
    total = sum(out[name] for name in LOSSES)
    torch.testing.assert_close(total, ref[f'out.{mode}.loss'], rtol=1e-5, atol=0)


def test_queue_and_pointer(ref, stepped):
    mode, model, _ = stepped
    expected = ref[f'out.{mode}.queue_after'].T
    torch.testing.assert_close(model.queue.features, expected, rtol=0, atol=1e-5)
    assert model.queue.pointer == int(ref[f'out.{mode}.queue_ptr_after'])


def test_key_encoder_and_batch_norm(ref, stepped):
    mode, model, _ = stepped
    key = model.key_encoder.module.neck.mlp[2].weight
    expected = ref[f'out.{mode}.key_fc.2.weight_after']
    torch.testing.assert_close(key, expected, rtol=0, atol=1e-5)
    mean = model.backbone.data_bn.running_mean
    expected = ref[f'out.{mode}.bn_running_mean_after']
    torch.testing.assert_close(mean, expected, rtol=0, atol=1e-5)


def test_logits_and_positives(ref, stepped):
    """The parts of the loss, from the reference's own logits."""
    mode, model, _ = stepped
    logits = [ref[f'out.{mode}.logits']]
    logits += [ref[f'out.{mode}.prob{i}'].log() for i in (1, 2)]
    positives = model.head.positives(logits, num_neighbors=int(mode == 'mined'))
    expected = ref[f'out.{mode}.positives']
    if mode == 'plain':  # the reference gives the index of the positive
        assert torch.equal(positives.argmax(1).float(), expected)
        assert (positives.sum(1) == 1).all()
    else:
        assert torch.equal(positives, expected)


@pytest.mark.skipif(
    not hasattr(torch.backends, 'cpu')
    or 'AVX' not in torch.backends.cpu.get_cpu_capability(),
    reason='the reference gradients were computed with AVX2 kernels',
)
def test_gradients():
    """In a process of its own, with the kernels that the reference was made with.

    The first layer's gradient of this 10-block network depends on the order of sums:
    with AVX-512 kernels the released code itself is 3e-4 from the reference, with AVX2
    ones equal. So it is asked of the stock blocks; those computed frames first are equal
    to them in float64 (test_frames_first.py).
    """
    env = dict(os.environ, ATEN_CPU_CAPABILITY='avx2', ONEDNN_MAX_CPU_ISA='AVX2')
    paths = [str(Path(__file__).parents[1]), os.environ.get('PYTHONPATH', '')]
    env['PYTHONPATH'] = os.pathsep.join(filter(None, paths))
    result = subprocess.run(
        [sys.executable, __file__], env=env, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    errors = dict(line.split() for line in result.stdout.splitlines() if '/' in line)
    assert len(errors) == 2 * len(GRADIENTS)
    assert all(float(error) < 1e-4 for error in errors.values()), errors


def print_gradient_errors():
    ref = load_reference('pretrain_step')
    for mode in ('plain', 'mined'):
        model, _ = step(ref, mining=mode == 'mined', frames_first=False)
        parameters = dict(model.named_parameters())
        for theirs, ours in GRADIENTS.items():
            expected = ref[f'out.{mode}.grad.{theirs}']
            error = (parameters[ours].grad - expected).norm() / expected.norm()
            print(f'{mode}/{theirs} {float(error)}')


def test_inference():
    ref = load_reference('inference')
    model = MODELS.build(
        dict(
            type='RecognizerGCN',
            backbone=BACKBONE,
            cls_head=dict(type='GCNHead', num_classes=60, in_channels=256),
        )
    )
    model.load_state_dict(from_hiclr(weights(ref)))
    model.eval()
    with torch.no_grad():
        feature_map = model.backbone(ref['input'])
        logits = model.cls_head(feature_map)
    feature = feature_map.mean((-2, -1)).mean(1)
    torch.testing.assert_close(feature, ref['out.feature'], rtol=0, atol=1e-5)
    torch.testing.assert_close(logits, ref['out.logits'], rtol=0, atol=1e-5)


if __name__ == '__main__':
    from mmengine.registry import init_default_scope

    import hiclr_mmaction  # noqa: F401

    init_default_scope('mmaction')
    print_gradient_errors()
