"""Convert a folder of BVH motion capture to a pose pickle."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.bvh import main

if __name__ == '__main__':
    main()
