"""HiCLR self-supervised skeleton learning for MMAction2.

Importing this package registers its components in ``mmaction.registry``.
"""

# ruff: noqa: E402, F401
# Before anything of mmaction is imported.
from .compat import install_workarounds
from .version import __version__

install_workarounds()

from . import checkpoint, datasets, engine, evaluation, methods, models, skeleton, views

__all__ = ['__version__']
