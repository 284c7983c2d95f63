"""Where things lie."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parents[1] / 'data'
# Every config file of a user; those of the protocols need none.
PRETRAININGS = sorted(
    path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts
)


def real_data() -> Path | None:
    """Folder of the real data sets, where there is one."""
    folder = Path(os.environ.get('HICLR_DATA', ROOT.parent / 'shared' / 'data'))
    return folder if folder.is_dir() else None
