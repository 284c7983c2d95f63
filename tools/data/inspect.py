"""Print what is in a pose pickle, check it, and draw one of its clips."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.inspect_pickle import main

if __name__ == '__main__':
    main()
