"""HiCLR self-supervised skeleton learning for MMAction2.

Importing this package registers its components in ``mmaction.registry`` and makes
mmaction2's incomplete wheel importable. It changes nothing else. Without mmaction2 only
``skeleton``, ``annotations``, ``zoo`` and ``apis`` are available.
"""

# ruff: noqa: F401
from importlib.util import find_spec

from . import skeleton
from .compat import make_importable
from .version import __version__

if find_spec('mmaction') is not None:
    # Before anything of mmaction is imported.
    make_importable()

    from . import checkpoint, datasets, engine, evaluation, methods, models, views

__all__ = ['__version__']
