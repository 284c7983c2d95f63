"""Workarounds for mmcv and mmcv-lite."""

from __future__ import annotations

import importlib.util
import warnings

from .versions import require_range

# What mmaction2 1.2.0 accepts: lowest, and too high.
MMCV_RANGE = ('2.0.0rc4', '2.2.0')


def check_mmcv() -> None:
    """Raise an ImportError if mmcv is missing or outside `MMCV_RANGE`.

    mmaction2 1.2.0 does not declare mmcv and answers with a bare assertion. mmcv and
    mmcv-lite serve alike; each overwrites the other's files.
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

    require_range('mmcv', mmcv.__version__, MMCV_RANGE, remedy)
