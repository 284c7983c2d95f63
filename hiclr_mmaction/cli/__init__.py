"""The programs of `tools/`; train and test also run as `python -m`."""
