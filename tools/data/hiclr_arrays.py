"""Convert the arrays of HiCLR, 2s-AGCN or CTR-GCN to a pose pickle, or back."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.hiclr_arrays import main

if __name__ == '__main__':
    main()
