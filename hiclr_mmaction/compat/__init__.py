"""Workarounds for released packages, one file per package.

Each workaround names its release, does nothing where it is not needed, and can be removed
once the package is fixed.
"""

from .mmaction2 import check_mmaction, provide_drn
from .mmcv import check_mmcv
from .mmengine import (
    add_vis_backend,
    check_mmengine,
    prepare_cpu_launch,
    read_unformatted,
)
from .opencv import check_opencv
from .torch import leave_processes

__all__ = [
    'add_vis_backend',
    'leave_processes',
    'make_importable',
    'prepare_cpu_launch',
    'read_unformatted',
]


def make_importable() -> None:
    """Make mmaction2 importable, or raise an error that names the missing package.

    ``hiclr_mmaction/__init__.py`` calls it before it imports mmaction.

    Raises:
        ImportError: If mmengine, mmcv or mmaction2 is missing or is of a release
            that the others refuse, or if OpenCV lacks a system library. The
            message is one line that says what to install.
    """
    check_mmengine()
    check_opencv()
    check_mmcv()
    check_mmaction()
    provide_drn()
