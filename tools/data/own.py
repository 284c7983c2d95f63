"""Convert a folder of CSV, NPY or JSON files, one per clip, to a pose pickle."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.own import main

if __name__ == '__main__':
    main()
