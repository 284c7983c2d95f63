"""Fuse the scores of several streams with fixed weights."""

from hiclr_mmaction.cli.analysis.fuse_streams import main

if __name__ == '__main__':
    main()
