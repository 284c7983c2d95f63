"""Any backbone under HiCLR: configs, edges, real data, export."""

import numpy as np
import pytest
import torch
from helpers.configs import config
from mmaction.registry import MODELS
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import export_checkpoint, export_onnx, read_checkpoint
from hiclr_mmaction.skeleton import get_layout, layer_features, side_by_side

CONFIGS = dict(
    stgcn='hiclr_stgcn_ntu60',
    stgcn64='hiclr_stgcn64_ntu60',
    stgcnpp='hiclr_stgcnpp_ntu60',
    aagcn='hiclr_aagcn_ntu60',
    dsta='hiclr_dsta_ntu60',
    ctrgcn='hiclr_ctrgcn_ntu60',
    msg3d='hiclr_msg3d_ntu60',
)
PROJECTS = ('ctrgcn', 'msg3d')
KINECT = get_layout('kinect20')
WIDTH = 64


@pytest.fixture(params=CONFIGS)
def name(request):
    """Each backbone; those of MMAction2's projects where that folder is named."""
    if request.param in PROJECTS:
        request.getfixturevalue('projects_dir')
    return request.param


def narrow(name):
    """The config's backbone for one Kinect skeleton, 64 wide at its end."""
    cfg = config(CONFIGS[name]).model.backbone
    cfg = cfg.to_dict()
    cfg.pop('init_cfg', None)
    cfg.pop('tcn_dropout', None)
    if name == 'dsta':
        stages = [[16, 16, 8, 1], [16, 32, 8, 2], [32, WIDTH, 16, 2]]
        cfg.update(num_joints=20, stages=stages, dropout=0.0)
        return cfg
    cfg['graph_cfg'] = KINECT.graph_cfg(cfg['graph_cfg']['mode'])
    cfg['base_channels'] = WIDTH // 4
    if name == 'stgcn':
        cfg['out_channels'] = WIDTH
    if name in ('aagcn', *PROJECTS):
        cfg['num_person'] = 1
    if name == 'msg3d':
        cfg.update(num_gcn_scales=6, num_g3d_scales=3)
    else:
        cfg.update(num_stages=6, inflate_stages=[3, 5], down_stages=[3, 5])
    return cfg


@pytest.mark.parametrize('name', [n for n in CONFIGS if n != 'stgcn'])
def test_configs_differ_in_the_backbone_alone(name, request):
    if name in PROJECTS:
        request.getfixturevalue('projects_dir')
    base, cfg = (config(CONFIGS[n]).to_dict() for n in ('stgcn', name))
    for c in (base, cfg):
        c['model'].pop('backbone')
        c.pop('custom_imports')
    if name == 'dsta':  # as released
        assert cfg['optim_wrapper']['optimizer'].pop('weight_decay') == 5e-4
        base['optim_wrapper']['optimizer'].pop('weight_decay')
        settings = cfg.keys() - base.keys()  # of its protocols
        cfg = {key: value for key, value in cfg.items() if key not in settings}
    assert cfg == base


def test_edges_are_perturbed_in_every_layer(name):
    model = MODELS.build(
        dict(
            type='HiCLR',
            backbone=narrow(name),
            neck=dict(type='SkeletonProjector', in_channels=WIDTH),
            head=dict(type='HierarchicalContrastHead', level_weights=(1.0, 0.5)),
            queue_size=8,
            graph_augment=dict(drop=0.5, add=0.2),
        )
    )
    perturbation = model.edge_perturbation
    x = torch.randn(2, 1, 16, 20, 3)
    model.backbone.eval()
    plain = model.backbone(x)
    assert plain.shape[2] == WIDTH
    assert not torch.allclose(perturbation(model.backbone, x), plain)
    assert torch.equal(model.backbone(x), plain)
    model.train()
    model.loss(dict(key=x, queries=[x, x]))['loss_level1'].backward()
    # No layer without: each graph convolution has an adjacency of its own.
    kinds = {'unit_gcn', 'unit_aagcn', 'unit_ctrgcn', 'MSGCN', 'ST_MSGCN'}
    kinds.add('JointAttention')
    layers = {n for n, m in model.backbone.named_modules() if type(m).__name__ in kinds}
    found = {n.rpartition('.')[0] for n in perturbation.names}
    assert layers
    assert layers <= found | set(perturbation.modules)


@pytest.mark.slow
def test_learns_on_real_data_and_exports(name, data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv('HICLR_DATA', str(data_dir))
    cfg = config('hiclr_stgcn_nw_ucla')
    cfg.model.backbone = narrow(name)
    cfg.model.pool.layers = []  # not all have blocks of the same names
    # With a queue of one batch the task is the same from the second step on: a longer
    # one fills up first, and the loss grows with it.
    cfg.model.queue_size = 16
    cfg.model.graph_augment = dict(drop=0.1, add=0.05)
    steps, batch = 20, 16
    cfg.train_dataloader.update(
        batch_size=batch, num_workers=0, persistent_workers=False
    )
    cfg.train_dataloader.dataset.indices = steps * batch
    cfg.train_cfg.max_epochs = 1
    # Fast, so that twenty steps show more than the noise between batches.
    cfg.optim_wrapper.optimizer.lr = 0.3
    cfg.param_scheduler = []
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'test_backbone_{name}'
    runner = Runner.from_cfg(cfg)
    runner.train()
    losses = runner.message_hub.log_scalars['train/loss'].data[0]
    assert len(losses) == steps
    assert np.isfinite(losses).all()
    assert losses[-7:].mean() < losses[1:8].mean()

    checkpoint = tmp_path / 'epoch_1.pth'
    exported = export_checkpoint(checkpoint, tmp_path / 'exported.pth')
    model = MODELS.build(exported).eval()
    weights = read_checkpoint(tmp_path / 'exported.pth')['state_dict']
    model.load_state_dict(weights)
    x = torch.randn(3, 1, 32, 20, 3)
    with torch.no_grad():
        expected = runner.model.eval().backbone(x)
        # HiCLRSTGCN computes its blocks in another order than the stock ones.
        torch.testing.assert_close(model.backbone(x), expected, rtol=1e-4, atol=1e-4)

    onnxruntime = pytest.importorskip('onnxruntime')
    shapes = export_onnx(checkpoint, tmp_path / 'a.onnx', 32, 20)
    one_person = name in ('aagcn', *PROJECTS)  # normalised person by person
    assert shapes['keypoint'][1] == (1 if one_person else 'persons')
    session = onnxruntime.InferenceSession(str(tmp_path / 'a.onnx'))
    (features,) = session.run(None, {'keypoint': x.numpy()})
    with torch.no_grad():
        layers = layer_features(runner.model.backbone, x, runner.model.pool)
    expected = side_by_side(layers).numpy()
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4)
