"""The programs of `tools/`, also as `python -m hiclr_mmaction.cli.train`."""
