"""Print where the weights of an encoder are: ``python -m hiclr_mmaction.zoo [NAME]``."""

import sys

from . import DEFAULT, weights_path

if __name__ == '__main__':
    try:
        print(weights_path(*sys.argv[1:2] or [DEFAULT]))
    except ValueError as error:
        sys.exit(str(error))
