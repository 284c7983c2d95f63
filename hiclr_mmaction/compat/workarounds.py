"""The only room that works around released packages.

Each workaround is a function of its own that names the package and release it is
for and does nothing where it isn't needed, so that it can go when the package is
mended. Nothing else in `hiclr_mmaction` knows about them.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import pickle
import subprocess
import sys
import types
import warnings
from datetime import timedelta
from typing import Any

import numpy as np
import torch

# What mmaction2 1.2.0 accepts, [lowest, too high), taken from its own checks.
MMENGINE_RANGE = ('0.7.1', '1.0.0')
MMCV_RANGE = ('2.0.0rc4', '2.2.0')


def install_workarounds() -> None:
    """Make the released packages importable and usable together.

    Called once by `hiclr_mmaction/__init__.py`, before anything of mmaction is
    imported. Calling it again changes nothing.

    Raises:
        ImportError: If mmengine, mmcv or mmaction2 is missing or is of a release
            that the others refuse, or if OpenCV lacks a system library. The
            message is one line that says what to install.
    """
    check_mmengine()
    check_opencv()
    check_mmcv()
    provide_importlib_metadata()
    check_mmaction()
    provide_drn()
    allow_checkpoint_globals()
    load_checkpoints_safely()
    write_files_whole()
    provide_np_inf()


# ---------------------------------------------------------------------------
# Clear errors for what is missing or does not fit
# ---------------------------------------------------------------------------


def _require_range(package: str, version: str, bounds: tuple[str, str], remedy: str):
    """Raise ImportError unless `bounds[0] <= version < bounds[1]`."""
    from mmengine.utils import digit_version

    low, high = bounds
    if not digit_version(low) <= digit_version(version) < digit_version(high):
        raise ImportError(
            f'{package}=={version} does not work with mmaction2, which needs '
            f'{package}>={low},<{high}: {remedy}'
        )


def check_mmengine() -> None:
    """Ask for an mmengine that mmaction2 accepts.

    For mmaction2 1.2.0, which does not declare mmengine and answers a release
    outside its range with a bare assertion.

    Raises:
        ImportError: If mmengine is missing or outside `MMENGINE_RANGE`.
    """
    remedy = "pip install 'mmengine>={},<{}'".format(*MMENGINE_RANGE)
    if importlib.util.find_spec('mmengine') is None:
        raise ImportError(f'mmengine is not installed: {remedy}')
    import mmengine

    _require_range('mmengine', mmengine.__version__, MMENGINE_RANGE, remedy)


def check_opencv() -> None:
    """Say what to install when OpenCV lacks a library of the system.

    For opencv-python and opencv-contrib-python, which mmengine and mmaction2 ask
    for by name: their wheels need libGL, which a machine without a screen may
    not have.

    Raises:
        ImportError: If `import cv2` fails.
    """
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'OpenCV cannot be imported ({error}): on a machine without libGL, '
            'apt-get install libgl1 libglib2.0-0, or pip install --force-reinstall '
            '--no-deps opencv-python-headless'
        ) from error


def check_mmcv() -> None:
    """Ask for an mmcv that mmaction2 accepts.

    For mmaction2 1.2.0, which does not declare mmcv and answers a release outside
    its range with a bare assertion. The full mmcv and mmcv-lite serve alike;
    which one is the user's choice, as each overwrites the other's files.

    Raises:
        ImportError: If mmcv is missing or outside `MMCV_RANGE`.
    """
    # The pre-release bound is what mmaction2 accepts; new installs get releases.
    wanted = f'>=2.0.0,<{MMCV_RANGE[1]}'
    remedy = (
        f"pip install 'mmcv-lite{wanted}' (or the extra: hiclr-mmaction[lite]), or, "
        f"if you use mmcv's compiled operators, pip install 'mmcv{wanted}'"
    )
    if importlib.util.find_spec('mmcv') is None:
        raise ImportError(f'mmcv is not installed: {remedy}')
    # mmcv-lite advises every user at every start to install the full mmcv, for an
    # operator that nothing here uses.
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformable')
        import mmcv
        import mmcv.cnn.bricks.transformer  # the place of the advice

    _require_range('mmcv', mmcv.__version__, MMCV_RANGE, remedy)


def check_mmaction() -> None:
    """Ask for mmaction2 under its package name, which its module does not tell.

    Raises:
        ImportError: If mmaction2 is missing.
    """
    if importlib.util.find_spec('mmaction') is None:
        raise ImportError(
            "mmaction is not installed: pip install 'mmaction2>=1.2.0,<2.0.0'"
        )


# ---------------------------------------------------------------------------
# What a release forgot
# ---------------------------------------------------------------------------


def provide_importlib_metadata() -> None:
    """Stand in for `importlib_metadata` with the standard library's module.

    For mmaction2 1.2.0, which imports it (`mmaction/utils/dependency.py`) and
    does not declare it. This project declares it, so only an installation
    without dependencies gets here. The two names that mmaction2 takes are the
    same in both.
    """
    if importlib.util.find_spec('importlib_metadata') is None:
        sys.modules['importlib_metadata'] = importlib.metadata


class _DRNFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for `mmaction.models.localizers.drn` when no other finder does."""

    PACKAGE = 'mmaction.models.localizers.drn'
    MODULE = 'mmaction.models.localizers.drn.drn'

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in (self.PACKAGE, self.MODULE):
            return None
        return importlib.machinery.ModuleSpec(
            fullname, self, is_package=fullname == self.PACKAGE
        )

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__name__ != self.MODULE:
            return
        from mmaction.registry import MODELS

        @MODELS.register_module()
        class DRN(torch.nn.Module):
            """Stand-in for a localizer that this mmaction2 does not contain."""

            def __init__(self, *args, **kwargs):
                raise ImportError(
                    "type='DRN' cannot be built: the wheel of mmaction2 1.2.0 was "
                    'published without mmaction/models/localizers/drn; install '
                    'mmaction2 from its source to use DRN'
                )

        DRN.__module__ = self.MODULE
        vars(module)['DRN'] = DRN


def provide_drn() -> None:
    """Make `import mmaction.models` work without the folder `localizers/drn`.

    For mmaction2 1.2.0 from PyPI, whose wheel lacks that folder while
    `mmaction/models/localizers/__init__.py` imports it (mmaction2 issue 2714).
    The finder goes to the end of `sys.meta_path`, where it is asked only when
    all others have found nothing, so an mmaction2 that has the folder, such as
    one installed from source, keeps its own DRN.
    """
    if not any(isinstance(finder, _DRNFinder) for finder in sys.meta_path):
        sys.meta_path.append(_DRNFinder())


def provide_np_inf() -> None:
    """Give mmaction2's pose transforms the `np.Inf` they use.

    For mmaction2 1.2.0 under numpy 2, which removed that name: `PoseCompact` and
    `frame_extract`, which MMAction2's skeleton demo calls, would fail. Only these
    modules see the name, through a copy of numpy's namespace; numpy itself stays
    as it is, so that no other library is misled about its release.
    """
    if hasattr(np, 'Inf'):
        return
    for name in ('mmaction.datasets.transforms.pose_transforms', 'mmaction.utils.misc'):
        module = importlib.import_module(name)
        if getattr(module, 'np', None) is np:
            numpy = types.ModuleType('numpy', np.__doc__)
            vars(numpy).update(vars(np), Inf=np.inf)
            vars(module)['np'] = numpy


# ---------------------------------------------------------------------------
# Checkpoints: read without running them, written whole
# ---------------------------------------------------------------------------


def _history_statistic(owner: Any, name: str) -> Any:
    """What a checkpoint's `getattr` may fetch: a statistic of `HistoryBuffer`.

    A pickled `HistoryBuffer` refers to its statistics ('min', 'mean', ...) by
    `getattr(HistoryBuffer, name)`. Python's own `getattr` on the allow-list would
    let a hostile checkpoint reach far more, so this stands in its place.

    Raises:
        pickle.UnpicklingError: If anything else is asked for.
    """
    from mmengine.logging import HistoryBuffer

    if owner is not HistoryBuffer or name not in HistoryBuffer._statistics_methods:
        raise pickle.UnpicklingError(
            f'the checkpoint asks for attribute {name!r} of {owner!r}; only the '
            "statistics of mmengine's HistoryBuffer are allowed"
        )
    return getattr(owner, name)


def allow_checkpoint_globals() -> None:
    """Let mmengine resume from the checkpoints that it writes itself.

    For mmengine 0.10.7, which calls `torch.load` without `weights_only`: since
    torch 2.6 that loads only allow-listed classes, and the message hub's
    `HistoryBuffer` and numpy numbers are not among them (mmengine issue 1655).
    Exactly those are added here and the check stays on. Arrays of Python objects
    are left out on purpose.
    """
    from mmengine.logging import HistoryBuffer

    HistoryBuffer()  # fills in the built-in statistics that the loader checks for
    # Asked of the objects, because numpy keeps these two where it calls private,
    # and named twice, because numpy 2 renamed that place: a checkpoint written
    # under either numpy can be read under the other.
    rebuild_array = np.empty(0).__reduce__()[0]
    rebuild_scalar = np.float64(0).__reduce__()[0]
    allowed = [HistoryBuffer, np.ndarray, np.dtype]
    for place in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed.append((rebuild_array, f'{place}._reconstruct'))
        allowed.append((rebuild_scalar, f'{place}.scalar'))
    allowed.extend({type(np.dtype(code)) for code in '?bhilqBHILQefd'})
    allowed.append((_history_statistic, 'builtins.getattr'))
    torch.serialization.add_safe_globals(allowed)


def load_checkpoints_safely() -> None:
    """Let nothing of a checkpoint run, wherever it comes from.

    For mmengine 0.10.7. It leaves ``weights_only`` to torch, which for files from an
    address takes False; its errors do not name the file, and advise to load it without
    the check. And ``Runner.resume`` runs the text ``meta['config']`` as Python, to look
    for a key that no release writes any more.
    """
    from mmengine.runner import CheckpointLoader, checkpoint, runner

    if hasattr(runner._load_checkpoint, '__wrapped__'):
        return

    def load_from_local(filename: str, map_location: Any = None) -> Any:
        from ..checkpoint.checkpoint_file import load_file  # needs mmaction

        return load_file(os.path.expanduser(filename), map_location)

    CheckpointLoader.register_scheme('', load_from_local, force=True)
    checkpoint.load_url = functools.partial(checkpoint.load_url, weights_only=True)
    load = runner._load_checkpoint

    @functools.wraps(load)
    def load_without_program(*args: Any, **kwargs: Any) -> Any:
        content = load(*args, **kwargs)
        meta = content.get('meta') if isinstance(content, dict) else None
        if isinstance(meta, dict):
            meta.pop('config', None)
        return content

    runner._load_checkpoint = load_without_program


def write_files_whole() -> None:
    """Let what mmengine writes to the disk be there whole or not at all.

    For mmengine 0.10.7, whose local backend, through which it saves checkpoints, opens
    the target itself: who is killed meanwhile leaves half a file under its name.
    """
    from mmengine.fileio import LocalBackend, register_backend

    class WholeFileBackend(LocalBackend):
        """Local files, put in place when all is written."""

        def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
            from ..atomic_write import whole_file  # this module must load on its own

            os.makedirs(os.path.dirname(os.path.abspath(filepath)), exist_ok=True)
            with whole_file(filepath) as part:
                part.write_bytes(obj)

    register_backend('local', WholeFileBackend, force=True, prefixes='')


# ---------------------------------------------------------------------------
# Several processes without an accelerator
# ---------------------------------------------------------------------------


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
        # What the runner itself would choose, had it not to name a device.
        wrapper = dict(
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        )
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    name = getattr(wrapper['type'], '__name__', wrapper['type'])
    if name.endswith('DistributedDataParallel'):
        # An explicit None, or the runner puts [LOCAL_RANK] in its place.
        wrapper['device_ids'] = None
    cfg.model_wrapper_cfg = wrapper


def leave_processes() -> None:
    """Leave the process group of a distributed run, if this is one.

    For torch 2.13 with gloo: a process that exits with a live group, or that leaves the
    group while a DistributedDataParallel model still lives, now and then aborts
    ('terminate called without an active exception') after all its work is done. Call
    it last, where nothing refers to the runner any more.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        gc.collect()  # runner and hooks refer to each other
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


# How each launcher tells a process its rank, the number of processes and its rank
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


# ---------------------------------------------------------------------------
# A visual backend for a runner that is built
# ---------------------------------------------------------------------------


def add_vis_backend(visualizer: Any, name: str, save_dir: str) -> Any:
    """Add a backend to a visualizer, unless it has one of that name.

    For mmengine 0.10, whose Visualizer takes backends only as it is built, so that one
    more than a config's could not be had without writing the whole list again.

    Args:
        visualizer (Visualizer): A runner's.
        name (str): A registered backend, such as 'TensorboardVisBackend'.
        save_dir (str): Where it writes to.

    Returns:
        BaseVisBackend: The new backend or, if there was one, that.
    """
    from mmengine.registry import VISBACKENDS

    if name not in visualizer._vis_backends:
        backend = VISBACKENDS.build(dict(type=name, save_dir=save_dir))
        visualizer._vis_backends[name] = backend
    return visualizer._vis_backends[name]
