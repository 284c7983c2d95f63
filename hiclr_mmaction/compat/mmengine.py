"""Workarounds for mmengine 0.10."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from datetime import timedelta
from typing import Any

import torch

from .versions import require_range

# What mmaction2 1.2.0 accepts: lowest, and too high.
MMENGINE_RANGE = ('0.7.1', '1.0.0')

# How each launcher passes a process its rank, the number of processes and its rank
# on this machine.
_RANK_VARIABLES = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': (
        'OMPI_COMM_WORLD_RANK',
        'OMPI_COMM_WORLD_SIZE',
        'OMPI_COMM_WORLD_LOCAL_RANK',
    ),
}


def check_mmengine() -> None:
    """Raise an ImportError if mmengine is missing or outside `MMENGINE_RANGE`.

    mmaction2 1.2.0 does not declare it and answers with a bare assertion.
    """
    remedy = "pip install 'mmengine>={},<{}'".format(*MMENGINE_RANGE)
    if importlib.util.find_spec('mmengine') is None:
        raise ImportError(f'mmengine is not installed: {remedy}')
    import mmengine

    require_range('mmengine', mmengine.__version__, MMENGINE_RANGE, remedy)


def read_unformatted(path: str | os.PathLike):
    """Read a config whose `pretty_text` is not formatted.

    mmengine 0.10.7 formats the text with yapf, for up to a second, for the log, the work
    folder and each checkpoint. `format_python_code` should prevent this, but
    `Config.fromfile` loses it.

    Args:
        path (str | PathLike): Of the config.

    Returns:
        mmengine.Config: The config.
    """
    from mmengine.config import Config

    cfg = Config.fromfile(path, format_python_code=False)
    object.__setattr__(cfg, '_format_python_code', False)
    return cfg


def prepare_cpu_launch(cfg) -> None:
    """Let a distributed launch run on a machine that has no accelerator.

    For mmengine 0.10.7, whose launch calls `torch.cuda.set_device` and wraps the
    model with `device_ids`, neither of which works on a CPU. When `cfg.launcher`
    is 'pytorch', 'slurm' or 'mpi' and there is only the CPU, the gloo process
    group is started here, which keeps the runner from starting one, and the
    config is changed in place to match. Otherwise nothing happens.

    Args:
        cfg (mmengine.Config): The whole config, its `launcher` set.

    Raises:
        ValueError: If the launcher has not set the variables it is known by, such
            as RANK and WORLD_SIZE for 'pytorch'.
    """
    from mmengine.device import get_device

    launcher = cfg.get('launcher', 'none')
    if launcher not in _RANK_VARIABLES or get_device() != 'cpu':
        return

    env_cfg = cfg.setdefault('env_cfg', {})
    dist_cfg = env_cfg.setdefault('dist_cfg', {})
    dist_cfg['backend'] = 'gloo'
    if not torch.distributed.is_initialized():
        _set_rendezvous_variables(launcher, dist_cfg.get('port'))
        timeout = dist_cfg.get('timeout')
        torch.distributed.init_process_group(
            backend='gloo',
            timeout=None if timeout is None else timedelta(seconds=timeout),
        )

    wrapper = cfg.get('model_wrapper_cfg')
    if wrapper is None:
        # As the runner itself would set it, but without naming a device.
        wrapper = dict(
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        )
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    name = getattr(wrapper['type'], '__name__', wrapper['type'])
    if name.endswith('DistributedDataParallel'):
        # An explicit None, or the runner would set [LOCAL_RANK].
        wrapper['device_ids'] = None
    cfg.model_wrapper_cfg = wrapper


def _set_rendezvous_variables(launcher: str, port: int | None) -> None:
    """Translate a launcher's variables into those that torch.distributed reads."""
    for name, source in zip(
        ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), _RANK_VARIABLES[launcher], strict=True
    ):
        if source not in os.environ:
            raise ValueError(
                f'launcher={launcher!r}, but the variable {source} is not set: start '
                f'the processes with that launcher, or use launcher="none"'
            )
        os.environ[name] = os.environ[source]
    if port is not None:
        os.environ['MASTER_PORT'] = str(port)
    os.environ.setdefault('MASTER_PORT', '29500')
    if launcher == 'slurm' and 'MASTER_ADDR' not in os.environ:
        hosts = subprocess.run(
            ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']],
            check=True,
            capture_output=True,
            text=True,
        )
        os.environ['MASTER_ADDR'] = hosts.stdout.split()[0]
    if 'MASTER_ADDR' not in os.environ:
        raise ValueError(
            f'launcher={launcher!r}, but the variable MASTER_ADDR is not set: give '
            'the address of the machine of rank 0'
        )


def add_vis_backend(visualizer: Any, name: str, save_dir: str) -> Any:
    """Add a backend to a visualizer, unless it has one of that name.

    The Visualizer of mmengine 0.10 takes backends only in its constructor, so a backend
    cannot be added to those of a config.

    Args:
        visualizer (Visualizer): A runner's.
        name (str): A registered backend, such as 'TensorboardVisBackend'.
        save_dir (str): Where it writes to.

    Returns:
        BaseVisBackend: The new or existing backend.
    """
    from mmengine.registry import VISBACKENDS

    if name not in visualizer._vis_backends:
        backend = VISBACKENDS.build(dict(type=name, save_dir=save_dir))
        visualizer._vis_backends[name] = backend
    return visualizer._vis_backends[name]
