"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PART = '.hiclr-'


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Give a path to write to, and put the file in place when all is written.

    Args:
        path (str | os.PathLike): Where the file goes. After an error nothing changed.

    Raises:
        OSError: If it cannot be written, with ``path`` as its ``filename``.
    """
    # Beside the target, for a rename is only whole within one file system.
    folder = Path(path).parent
    part = None
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PART, suffix='.part')
        os.close(handle)
        part = Path(name)
        yield part
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)  # mkstemp lets only the owner read
        # On the disk before it has its name, or a power cut could leave it empty.
        _flush(part)
        part.replace(path)
        _flush(folder)
    except OSError as error:
        if error.filename is None or _PART in str(error.filename):
            error.filename, error.filename2 = os.fspath(path), None
        raise
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def remove_parts(folder: str | os.PathLike) -> None:
    """Remove what :func:`whole_file` left in a folder when its process was killed."""
    for part in Path(folder).glob(f'{_PART}*.part'):
        part.unlink(missing_ok=True)


def write_text(text: str, path: str | os.PathLike) -> None:
    """Write a text file (UTF-8), whole or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding='utf-8')


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if os.name == 'nt' and path.is_dir():
        return  # Windows opens no folder
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
