"""Convert the .skeleton files of NTU RGB+D 60 or 120 to a pose pickle."""

import _path  # noqa: F401  so that `import inspect` finds Python's own

from hiclr_mmaction.cli.data.ntu import main

if __name__ == '__main__':
    main()
