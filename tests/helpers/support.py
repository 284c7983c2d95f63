"""Where the tests' data lie, and how they are read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from hiclr_mmaction.evaluation.protocol import find_config, read_config

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parents[1] / 'data'
# Every config file of a user; those of the protocols need none.
PRETRAININGS = sorted(
    path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts
)


def load_reference(name: str) -> dict[str, torch.Tensor]:
    """The arrays of a file of ``tests/data`` as float32 (or integer) tensors.

    Clips are turned from the released code's (N,) C, T, V, M into (N,) M, T, V, C.
    """
    out = {}
    with np.load(DATA / f'{name}.npz') as arrays:
        for key in arrays.files:
            if arrays[key].dtype.kind not in 'fi':
                continue
            value = torch.from_numpy(arrays[key])
            if value.is_floating_point():
                value = (
                    value.double() if value.dtype == torch.float64 else value.float()
                )
            if value.shape[-2:] == (25, 2):
                value = value.permute(*range(value.dim() - 4), -1, -3, -2, -4)
            out[key] = value.contiguous()
    return out


def real_data() -> Path | None:
    """Folder of the real data sets, where there is one."""
    folder = Path(os.environ.get('HICLR_DATA', ROOT.parent / 'shared' / 'data'))
    return folder if folder.is_dir() else None


def config(name: str) -> Config:
    """The config of this project with this name, such as `'hiclr_stgcn_msr_linear'`."""
    path = find_config(f'{name}.py')
    assert path is not None, name
    return read_config(path)


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
    # Loggers are kept by name, and named after the second that a run starts in.
    cfg.experiment_name = f'test_{work_dir.name}'
    cfg.merge_from_dict(options)
    return cfg


def device_views_config(work_dir: Path, **options) -> Config:
    """:func:`synthetic_config`, its views made by the model's preprocessor."""
    cfg = synthetic_config(work_dir, **options)
    growing = cfg.train_dataloader.dataset.pipeline.pop(1)
    cfg.model.data_preprocessor.views = dict(levels=growing.levels)
    return cfg
