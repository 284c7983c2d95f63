"""Convert the files of KARD to a pose pickle."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.small_sets import main

if __name__ == '__main__':
    main('kard')
