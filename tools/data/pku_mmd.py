"""Cut the recordings of PKU-MMD I or II into a pose pickle of action clips."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.pku_mmd import main

if __name__ == '__main__':
    main()
