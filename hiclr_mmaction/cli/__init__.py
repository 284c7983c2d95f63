"""The programs of `tools/`; train and test also run as `python -m`."""

import sys
from types import TracebackType


def _say_stopped(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print one line for Ctrl-C, after which Python ends with the status 130."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    print('stopped', *error.args, sep='; ', file=sys.stderr)


sys.excepthook = _say_stopped
