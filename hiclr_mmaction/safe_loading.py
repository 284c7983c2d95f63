"""Importing this module switches :func:`load_safely` on, for configs::

custom_imports = dict(imports=['hiclr_mmaction', 'hiclr_mmaction.safe_loading'])
"""

from .checkpoint import load_safely

load_safely()
