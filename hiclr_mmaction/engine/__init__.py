"""What happens around the model while it trains."""

# Stock parts that mmaction registers only here, e.g. AAGCN's weight initialisers.
import mmaction.engine  # noqa: F401

from .hooks import *  # noqa: F403
from .hooks import __all__  # noqa: F401
