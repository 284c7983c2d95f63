"""Evaluate a checkpoint on the test set of a config."""

from hiclr_mmaction.cli.test import main

if __name__ == '__main__':
    main()
