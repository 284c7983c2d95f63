"""Convert NW-UCLA, as CTR-GCN distributes it (all_sqe/*.json), to a pose pickle."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.small_sets import main

if __name__ == '__main__':
    main('nw_ucla')
