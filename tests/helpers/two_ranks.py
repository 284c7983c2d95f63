"""Trains on every rank and compares what the ranks then hold."""

from pathlib import Path

import torch
from mmengine.dist import all_gather, is_main_process
from mmengine.runner import Runner

from hiclr_mmaction.compat import leave_processes, prepare_cpu_launch

from .configs import synthetic_config


def same(tensor: torch.Tensor) -> bool:
    first, *others = all_gather(tensor.contiguous())
    return all(torch.equal(first, other) for other in others)


VARIANTS = dict(
    plain={},
    bfloat16={
        'model.backbone.skip_absent': True,
        'model.shuffle_bn': True,
        'optim_wrapper.type': 'BFloat16OptimWrapper',
    },
    accumulated={
        'optim_wrapper.type': 'Float16OptimWrapper',
        'optim_wrapper.accumulative_counts': 2,
        'optim_wrapper.clip_grad': dict(max_norm=1.0),
    },
    overflow={
        'optim_wrapper.type': 'Float16OptimWrapper',
        'optim_wrapper.loss_scale': dict(init_scale=2.0**40),
    },
    uneven={
        'train_dataloader.sampler.round_up': False,
        'train_dataloader.dataset.indices': 23,
    },
)


def build(work_dir: Path, options: dict) -> Runner:
    # 24 clips by twos on two ranks of batches of 5: the last batch is smaller.
    cfg = synthetic_config(
        work_dir,
        **{
            'train_dataloader.batch_size': 5,
            'train_dataloader.drop_last': False,
            'train_cfg.max_epochs': 2,
            'auto_scale_lr': dict(enable=True, base_batch_size=5),
            'param_scheduler': None,
            **options,
        },
    )
    cfg.launcher = 'pytorch'
    prepare_cpu_launch(cfg)
    if 'optim_wrapper.type' in options:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint.pop('save_best')
    return Runner.from_cfg(cfg)


def train(work_dir: Path, options: dict) -> dict:
    runner = build(work_dir, options)
    model = runner.model.module
    model.init_weights()
    before = model.backbone.data_bn.weight.detach().clone()
    try:
        runner.train()
    except ValueError as error:
        return dict(error=str(error))
    clip = runner.train_dataloader.dataset[0]['inputs']
    view = model.data_preprocessor(dict(inputs=[clip]), training=True)['inputs']['key']
    scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
    return dict(
        clips=sum(len(b['data_samples']) for b in runner.train_dataloader),
        pointer=int(model.queue.pointer),
        queue=same(model.queue.features),
        weights=all(same(p.detach()) for p in model.backbone.parameters()),
        key=all(same(p) for p in model.key_encoder.module.parameters()),
        finite=all(v.isfinite().all().item() for v in model.state_dict().values()),
        trained=not torch.equal(before, model.backbone.data_bn.weight),
        views_differ=not same(view),
        lr=runner.optim_wrapper.get_lr()['lr'][0],
        scale=scaler and scaler.get_scale(),
        scale_same=scaler and same(torch.tensor(scaler.get_scale())),
    )


def report(folder: Path) -> None:
    """Write what of each variant is equal on all ranks, and what is not."""
    out = {name: train(folder / name, options) for name, options in VARIANTS.items()}
    if is_main_process():
        torch.save(out, folder / 'report.pth')
    leave_processes()
