"""What works around released packages."""

from .workarounds import (
    add_vis_backend,
    install_workarounds,
    leave_processes,
    prepare_cpu_launch,
)

__all__ = [
    'add_vis_backend',
    'install_workarounds',
    'leave_processes',
    'prepare_cpu_launch',
]
