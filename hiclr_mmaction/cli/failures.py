"""One-line messages for failures of the machine, with the remedy."""

import errno
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_DISK = 'free some space, or name a folder on another disk'
_WRITE = 'give yourself the right to write there, or name another folder'
_FILES = (
    'too many files are open: raise the limit with `ulimit -n 65536`, or lower '
    'num_workers of the dataloaders'
)
_REMEDIES = {
    errno.ENOSPC: _DISK,
    getattr(errno, 'EDQUOT', errno.ENOSPC): _DISK,  # not on Windows
    errno.EFBIG: 'a file may not be that large here: see `ulimit -f`, or ' + _DISK,
    errno.EROFS: _WRITE,
    errno.EACCES: _WRITE,
    errno.EPERM: _WRITE,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
}


@contextmanager
def one_line_failures(place: str) -> Iterator[None]:
    """End the program with one line (:func:`explain`) if the machine caused the error."""
    try:
        yield
    except Exception as error:
        line = explain(error, place)
        if line is None:
            raise
        sys.exit(line)


@contextmanager
def resumable(
    how: str = 'run the same command again to resume from here',
) -> Iterator[None]:
    """Let Ctrl-C end the program with a line that tells how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(how) from None


@contextmanager
def ctrl_c_ignored() -> Iterator[None]:
    """Let the processes that are started here not notice Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def explain(error: BaseException, place: str) -> str | None:
    """A line with file and remedy; None for other errors.

    ``place`` is named for errors that do not name a file.
    """
    text = str(error)
    worker = re.search(r'DataLoader worker \(pid\(?s?\)? ([\d, ]+)\)', text)
    if worker:
        return (
            f'data worker {worker[1]} was killed, mostly because memory ran out: lower '
            'num_workers or batch_size of train_dataloader and val_dataloader. --resume '
            'continues from the last checkpoint'
        )
    if isinstance(error, OSError) and error.errno in _REMEDIES:
        return f'{error.filename or place}: {error.strerror}: {_REMEDIES[error.errno]}'
    if 'Too many open files' in text or 'ancdata' in text:
        return f'{place}: {_FILES}'
    if isinstance(error, OSError) and text.startswith('Caught '):  # in a data worker
        cause = text.strip().splitlines()[-1]
        return f'in a data worker: {cause}. Put back what it reads, then --resume'
    return None
