"""Configs made tiny, and the pre-trained encoder that linear evaluation needs."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import torch
from mmengine.config import Config

from hiclr_mmaction.checkpoint import build_model
from hiclr_mmaction.evaluation.protocol import find_config, read_config


def config(name: str) -> Config:
    """The config of this project with this name, such as `'hiclr_stgcn_msr_linear'`."""
    path = find_config(f'{name}.py')
    assert path is not None, name
    return read_config(path)


def experiment_of(work_dir: Path) -> str:
    """A name of a run. Those of two runs in one second must differ: they share scalars."""
    return f'test_{work_dir.parent.name}_{work_dir.name}'


def synthetic_config(work_dir: Path, **options) -> Config:
    """The embedded default made tiny: 24 clips, a batch of 8, one epoch, no workers.

    Args:
        work_dir (Path): For checkpoints and logs.
        **options: Settings to change, as in ``--cfg-options``.
    """
    cfg = config('hiclr_stgcn_synthetic')
    few = dict(actions=['wave', 'squat', 'push'], num_subjects=6, num_val_subjects=2)
    few['clips_per_action'] = 2
    cfg.train_dataloader.update(batch_size=8, num_workers=0, persistent_workers=False)
    cfg.train_dataloader.dataset.update(few)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        for dataset in loader.dataset.datasets:
            dataset.update(few)
    cfg.model.queue_size = 16
    cfg.model.backbone.update(num_stages=3, inflate_stages=[3], down_stages=[2])
    cfg.model.backbone.out_channels = cfg.model.neck.in_channels = 16
    cfg.train_cfg.max_epochs = 1
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = experiment_of(work_dir)
    cfg.merge_from_dict(options)
    return cfg


def save_pretrained(path: Path, **options) -> Path:
    """Write a checkpoint as pre-training does, with statistics of its own.

    Args:
        path (Path): The file.
        **options: Settings of the pre-training to change.
    """
    cfg = synthetic_config(path.parent, **options)
    model = build_model(cfg.model)
    torch.manual_seed(3)
    model.init_weights()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(1000)
    torch.save(
        dict(state_dict=model.state_dict(), meta=dict(cfg=cfg.pretty_text)), path
    )
    return path


#: What each learner has beside data preprocessor, backbone and neck.
LEARNERS: dict[str, dict] = dict(
    BYOL={},
    SkeletonVICReg=dict(head=dict(type='DecorrelationHead')),
    PCM3=dict(head=dict(type='PCM3Head', in_channels=16), queue_size=16),
)


def with_learner(learner: str, work_dir: Path, **options) -> Config:
    """:func:`synthetic_config` with another learner in place of HiCLR.

    Args:
        learner (str): One of ``LEARNERS``; BYOL is written outside of the package.
        work_dir (Path): For checkpoints and logs.
        **options: Settings to change, as in ``--cfg-options``.
    """
    cfg = synthetic_config(work_dir)
    model = {k: cfg.model[k] for k in ('data_preprocessor', 'backbone', 'neck')}
    model.update(_delete_=True, type=learner, **deepcopy(LEARNERS[learner]))
    cfg.custom_imports.imports.append('helpers.byol')
    cfg.merge_from_dict({'model': model, **options})
    return cfg


def probe_config(work_dir: Path, checkpoint: Path, **options) -> Config:
    """Linear evaluation of :func:`synthetic_config`'s encoder: 24 and 12 clips.

    Args:
        work_dir (Path): For checkpoints and logs.
        checkpoint (Path): The pre-trained weights.
        **options: Settings to change, as in ``--cfg-options``.
    """
    pretrain = synthetic_config(work_dir)
    backbone = dict(
        pretrain.model.backbone,
        tcn_dropout=0.5,
        init_cfg=dict(
            type='Pretrained', checkpoint=str(checkpoint), prefix='backbone.'
        ),
    )
    few = dict(pretrain.train_dataloader.dataset)
    few['pipeline'] = [
        pretrain.align,
        dict(type='FormatGCNInput', num_person=1),
        dict(type='PackActionInputs'),
    ]
    loader = dict(batch_size=5, num_workers=0)
    val_dataloader = dict(
        loader,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(few, split='val', test_mode=True),
    )
    cfg = Config(
        dict(
            default_scope='mmaction',
            custom_imports=dict(imports=['hiclr_mmaction']),
            model=dict(
                type='RecognizerGCN',
                backbone=backbone,
                cls_head=dict(type='GCNHead', num_classes=3, in_channels=16),
            ),
            train_dataloader=dict(
                loader,
                drop_last=True,
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=few,
            ),
            val_dataloader=val_dataloader,
            test_dataloader=val_dataloader,
            val_evaluator=dict(type='AccMetric'),
            test_evaluator=dict(type='AccMetric'),
            train_cfg=dict(type='LinearProbeLoop', max_epochs=3, val_interval=2),
            val_cfg=dict(type='ValLoop'),
            test_cfg=dict(type='TestLoop'),
            optim_wrapper=dict(
                optimizer=dict(type='SGD', lr=3.0, momentum=0.9, weight_decay=0.1)
            ),
            param_scheduler=[dict(type='MultiStepLR', milestones=[2])],
            randomness=dict(seed=0),
            work_dir=str(work_dir),
            experiment_name=experiment_of(work_dir),
        ),
        format_python_code=False,  # it takes longer than the run
    )
    cfg.merge_from_dict(options)
    return cfg


def ranks_config(work_dir: Path, checkpoint: Path, batch_size: int) -> Config:
    """The same for 23 and 11 clips, which neither two nor three ranks divide."""
    return probe_config(
        work_dir,
        checkpoint,
        **{
            'train_dataloader.batch_size': batch_size,
            'train_dataloader.dataset.indices': 23,
            'val_dataloader.dataset.indices': 11,
            'default_hooks': dict(sync_buffers=dict(type='SyncBuffersHook')),
        },
    )
