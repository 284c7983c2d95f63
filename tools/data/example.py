"""Write synthetic clips as CSV files and a table of labels: to try the way of own data."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.example import main

if __name__ == '__main__':
    main()
