"""Every config in ``configs/`` is built, takes a step and validates."""

import pickle

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from planar import coco_annotations
from support import ROOT

# Backbones of full width take long on a CPU.
WIDE = [f'hiclr_{name}_ntu60' for name in
        ('stgcn64', 'stgcnpp', 'aagcn', 'ctrgcn', 'msg3d')]  # fmt: skip
PROJECTS = ['hiclr_ctrgcn_ntu60', 'hiclr_msg3d_ntu60']  # need MMAction2's projects
CONFIGS = [
    pytest.param(name, marks=pytest.mark.slow) if name in WIDE else name
    for name in sorted(path.stem for path in (ROOT / 'configs').glob('*.py'))
]
# Where the configs look for data, and what they expect there.
FILES = {
    'skeleton/ntu60_3d.pkl': (25, ['xsub', 'xview']),
    'nw_ucla_3d.pkl': (20, ['xview', 'xsub']),
    'msr_action3d_3d.pkl': (20, ['xsub']),
}
# Skeletons in an image, as MMAction2's pickles hold them.
IMAGE_FILES = {
    'skeleton/ntu60_2d.pkl': dict(
        actions=['wave', 'push'],
        num_subjects=3,
        clips_per_action=3,
        num_val_subjects=1,
    ),
}


@pytest.fixture(scope='module')
def made_up_data(tmp_path_factory):
    """A folder of pose pickles with a few random clips each."""
    folder = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)
    for name, (joints, protocols) in FILES.items():
        annotations = [
            dict(
                frame_dir=f'clip{i}',
                label=i % 2,
                total_frames=12,
                keypoint=rng.normal(size=(1 + i % 2, 12, joints, 3)).astype(np.float16),
            )
            for i in range(12)
        ]
        names = [a['frame_dir'] for a in annotations]
        split = {}
        for protocol in protocols:
            split[f'{protocol}_train'], split[f'{protocol}_val'] = names[:8], names[8:]
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(dict(split=split, annotations=annotations)))
    for name, settings in IMAGE_FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(coco_annotations(**settings)))
    return folder


def few_clips(cfg):
    """Small batches, no workers; the model and its views as they are."""
    cfg.train_dataloader.update(batch_size=4, num_workers=0, persistent_workers=False)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=4, num_workers=0, persistent_workers=False)
    for dataset in [
        cfg.train_dataloader.dataset,
        *cfg.val_dataloader.dataset.datasets,
        *cfg.test_dataloader.dataset.datasets,
    ]:
        if dataset.type == 'SyntheticSkeletons':
            dataset.update(num_subjects=2, num_val_subjects=1, clips_per_action=1)
            dataset.actions = ['wave', 'squat', 'clap', 'push']
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = 1


@pytest.mark.parametrize('name', CONFIGS)
def test_config_takes_a_step_and_validates(
    name, made_up_data, tmp_path, monkeypatch, request
):
    if name in PROJECTS:
        request.getfixturevalue('projects_dir')
    monkeypatch.setenv('HICLR_DATA', str(made_up_data))
    cfg = Config.fromfile(ROOT / 'configs' / f'{name}.py')
    few_clips(cfg)
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'test_{name}'
    runner = Runner.from_cfg(cfg)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    assert runner.iter >= 1
    changed = [
        k for k, v in runner.model.named_parameters() if not torch.equal(v, before[k])
    ]
    assert any(k.startswith('backbone') for k in changed)
    assert any(k.startswith('key_encoder') for k in changed)
    log = runner.message_hub.log_scalars
    levels = len(cfg.model.head.level_weights)
    losses = {k for k in log if k.startswith('train/loss_')}
    assert losses == {
        'train/loss_contrast',
        *(f'train/loss_level{i}' for i in range(1, levels)),
    }
    assert all(np.isfinite(log[k].current()) for k in losses)
    assert {'val/knn/k1', 'val/knn/k5', 'val/knn/k20'} <= set(log)
    assert list(tmp_path.glob('best_knn_k1_*.pth'))
    assert (
        tmp_path / 'last_checkpoint'
    ).is_file() or cfg.default_hooks.checkpoint.interval > 1


def test_ntu60_is_the_released_recipe():
    """Each number of the released configuration, in one place."""
    cfg = Config.fromfile(ROOT / 'configs' / 'hiclr_stgcn_ntu60.py')
    model, optimizer = cfg.model, cfg.optim_wrapper.optimizer
    assert model.backbone.graph_cfg.layout == 'nturgb+d-stgcn'
    assert (model.backbone.base_channels, model.backbone.out_channels) == (16, 256)
    assert model.backbone.tcn_dropout == 0.5
    assert (model.neck.in_channels, model.neck.out_channels) == (256, 128)
    assert (model.queue_size, model.momentum, model.head.temperature) == (
        32768,
        1e-3,
        0.07,
    )
    assert tuple(model.head.level_weights) == (1.0, 0.5, 0.5)
    assert (model.head.similarity, model.head.asymmetric) == ('kl', True)
    assert model.mining.topk == 1
    assert {'type': 'NeighborMiningHook', 'begin': 150} in cfg.custom_hooks
    assert model.mask_token
    assert optimizer.type == 'SGD'
    assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (
        0.1,
        0.9,
        1e-4,
    )
    assert not optimizer.nesterov
    assert cfg.train_dataloader.batch_size == 128
    assert cfg.train_dataloader.drop_last
    assert cfg.train_cfg.max_epochs == 300
    assert cfg.param_scheduler[0].milestones == [250]
    assert cfg.param_scheduler[0].gamma == 0.1
    align, growing, _ = cfg.train_dataloader.dataset.pipeline
    assert (align.num_frames, align.num_person) == (50, 2)
    names = [[t.type for t in level] for level in growing.levels]
    assert names == [
        ['SkeletonTemporalCrop', 'SkeletonShear'],
        ['SkeletonMirror', 'SkeletonRotate', 'SkeletonNoise', 'SkeletonBlur',
         'SkeletonChannelMask'],
        ['SkeletonJointMask'],
    ]  # fmt: skip
    assert not growing.get('grown', False)


@pytest.mark.parametrize('dataset', ['nw_ucla', 'msr'])
def test_skeletonclr_differs_from_its_hiclr_twin_in_the_levels_alone(dataset):
    hiclr, twin = (
        Config.fromfile(ROOT / 'configs' / f'{method}_stgcn_{dataset}.py').to_dict()
        for method in ('hiclr', 'skeletonclr')
    )
    assert twin['model']['head'].pop('level_weights') == (1.0,)
    assert hiclr['model']['head'].pop('level_weights') == (1.0, 0.5, 0.5)
    assert twin['model'].pop('mask_token') is False
    pipelines = [
        c['train_dataloader']['dataset'].pop('pipeline') for c in (hiclr, twin)
    ]
    assert pipelines[0][1]['levels'][:1] == pipelines[1][1]['levels']
    for cfg in (hiclr, twin):
        cfg.pop('train_pipeline')
    assert hiclr == twin
