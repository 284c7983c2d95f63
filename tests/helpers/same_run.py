"""A short run that is the same in one process and in several.

Every process takes its part of the same batches, in the same order; the views of a clip
are drawn from its number; batch norm is frozen, for torch's SyncBN needs a GPU.
"""

from pathlib import Path

import numpy as np
import torch
from mmaction.registry import DATA_SAMPLERS, HOOKS, TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.dist import (
    all_gather,
    all_reduce,
    get_rank,
    get_world_size,
    is_main_process,
)
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _BatchNorm

from hiclr_mmaction.compat import leave_processes, prepare_cpu_launch
from hiclr_mmaction.models.modules import BatchShuffle

from .configs import synthetic_config, with_learner

BATCH = 32
VARIANTS = dict(
    plain={},
    shuffle_bn={'model.shuffle_bn': True},
    skip_absent={'model.backbone.skip_absent': True},
    accumulated={'optim_wrapper.accumulative_counts': 2},
    vicreg=dict(learner='SkeletonVICReg'),
    # Which part of a clip is mixed in depends on the rank.
    pcm3={
        'learner': 'PCM3',
        'model.head.mixed_weight': 0.0,
        'model.queue_size': 48,
        'optim_wrapper.optimizer.lr': 0.001,  # its losses are several times as large
    },
)


@DATA_SAMPLERS.register_module(force=True)
class PartsOfBatches:
    """The part of each batch of 32 that is this rank's, in an order of the epoch."""

    def __init__(self, dataset, seed=None):
        self.size = len(dataset)
        self.epoch = 0

    def __iter__(self):
        generator = torch.Generator().manual_seed(self.epoch)
        order = torch.randperm(self.size, generator=generator)
        parts = [
            batch.chunk(get_world_size())[get_rank()] for batch in order.split(BATCH)
        ]
        return iter(torch.cat(parts).tolist())

    def __len__(self):
        return self.size // get_world_size()

    def set_epoch(self, epoch):
        self.epoch = epoch


@TRANSFORMS.register_module(force=True)
class SeedByClip(BaseTransform):
    """Let what follows draw from the number of the clip."""

    def transform(self, results):
        torch.manual_seed(results['sample_idx'])
        return results


@TRANSFORMS.register_module(force=True)
class SecondPerson(BaseTransform):
    """Put a second person into every third clip, and an absent one into the others."""

    def transform(self, results):
        first = results['keypoint'][:1]
        second = first * (results['sample_idx'] % 3 == 0) * 0.5
        results['keypoint'] = np.concatenate([first, second])
        return results


@HOOKS.register_module(force=True)
class FrozenNorm(Hook):
    """Keeps batch norm at its statistics, and the losses of the steps."""

    def before_train(self, runner):
        self.losses = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs['loss'].detach())


def build(work_dir, variant='plain'):
    """The runner, in one process or several."""
    many = dict(actions=['wave', 'squat', 'push', 'clap'], num_subjects=17)  # 64 clips
    # 42 in the bank, 9 to classify: not to be divided by two.
    odd = dict(actions=['wave', 'squat', 'push'], num_subjects=17, num_val_subjects=3)
    options = {
        'train_dataloader.batch_size': BATCH // get_world_size(),
        'train_dataloader.sampler': dict(_delete_=True, type='PartsOfBatches'),
        'train_cfg.max_epochs': 4,
        'optim_wrapper.optimizer.lr': 0.01,
        **VARIANTS[variant],
    }
    if learner := options.pop('learner', None):
        cfg = with_learner(learner, Path(work_dir), **options)
    else:
        cfg = synthetic_config(Path(work_dir), **{'model.queue_size': 48, **options})
    cfg.train_dataloader.dataset.update(many, num_val_subjects=1, clips_per_action=1)
    # Views of the pipeline: those of the batch depend on the rank.
    views = cfg.model.data_preprocessor.pop('views')
    growing = dict(views, type='GrowingAugmentation')
    cfg.train_dataloader.dataset.pipeline[1:1] = [dict(type='SeedByClip'), growing]
    if variant == 'skip_absent':
        cfg.train_dataloader.dataset.pipeline.insert(1, dict(type='SecondPerson'))
    for dataset in cfg.val_dataloader.dataset.datasets:
        dataset.update(odd, clips_per_action=1)
    cfg.val_dataloader.batch_size = 8
    cfg.custom_hooks.append(dict(type='FrozenNorm'))
    cfg.default_hooks.checkpoint = None
    if get_world_size() > 1:
        cfg.launcher = 'pytorch'
        prepare_cpu_launch(cfg)
    return Runner.from_cfg(cfg)


def train(work_dir, variant):
    """8 steps; the mean losses of the ranks, the weights they leave, their k-NN."""
    runner = build(work_dir, variant)
    runner.train()
    model = getattr(runner.model, 'module', runner.model)
    hook = next(h for h in runner.hooks if isinstance(h, FrozenNorm))
    losses = torch.stack(hook.losses)
    all_reduce(losses, 'mean')
    return dict(losses=losses, weights=model.state_dict(), knn=runner.val_loop.run())


def evaluate(work_dir, weights):
    """The k-NN of given weights."""
    runner = build(work_dir)
    runner.model.load_state_dict(weights)
    return runner.val_loop.run()


def shuffled():
    """What a shuffle makes of two ranks' clips 0, 1, 2, ... and 100, 101, 102, ..."""
    torch.manual_seed(get_rank())
    clips = torch.arange(8) + 100 * get_rank()
    batch = BatchShuffle(len(clips), clips.device)
    dealt = batch.shuffle(clips)
    back = batch.unshuffle(dealt)
    return dict(
        dealt=torch.stack(all_gather(dealt)), back=torch.stack(all_gather(back))
    )


def train_all(folder):
    """Write what the variants give, in several processes."""
    prepare_cpu_launch(Config(dict(launcher='pytorch')))
    out = {name: train(folder / name, name) for name in VARIANTS}
    out['shuffled'] = shuffled()
    if is_main_process():
        torch.save(out, folder / 'report.pth')
    leave_processes()
