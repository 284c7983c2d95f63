"""Loops, hooks and checks around the training of a model."""

# Stock parts that mmaction registers only here, e.g. AAGCN's weight initialisers.
import mmaction.engine  # noqa: F401

from . import hooks, loops
from .hooks import *  # noqa: F403
from .loops import *  # noqa: F403
from .optim_wrappers import BFloat16OptimWrapper, Float16OptimWrapper

__all__ = [
    'BFloat16OptimWrapper',
    'Float16OptimWrapper',
    *hooks.__all__,
    *loops.__all__,
]
