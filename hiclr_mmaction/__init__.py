"""HiCLR self-supervised skeleton learning for MMAction2.

Importing this package registers its components in ``mmaction.registry`` and makes
mmaction2's incomplete wheel importable. It changes nothing else.
"""

# ruff: noqa: E402, F401
# Before anything of mmaction is imported.
from .compat import make_importable
from .version import __version__

make_importable()

from . import checkpoint, datasets, engine, evaluation, methods, models, skeleton, views

__all__ = ['__version__']
