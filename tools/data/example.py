"""Write synthetic clips as CSV files and a table of labels: to try the way of own data."""

import os
import sys

# So that `import inspect` finds Python's own, not the program of this folder.
here = os.path.dirname(os.path.realpath(__file__))
sys.path = [folder for folder in sys.path if folder != here]

from hiclr_mmaction.cli.data.example import main  # noqa: E402

if __name__ == '__main__':
    main()
