"""Atomic writing of files: completely or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PART = '.hiclr-'


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path to write to; afterwards rename the file to ``path``.

    Args:
        path (str | os.PathLike): The file. An error leaves it unchanged.

    Raises:
        OSError: If it cannot be written, with ``path`` as its ``filename``.
    """
    # In the same folder, because a rename is atomic only within one file system.
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
        # Synced to disk before the rename, or a power cut could leave an empty file.
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
    """Remove files that :func:`whole_file` left in a folder when its process was killed."""
    for part in Path(folder).glob(f'{_PART}*.part'):
        part.unlink(missing_ok=True)


def write_text(text: str, path: str | os.PathLike) -> None:
    """Write a text file (UTF-8) atomically."""
    with whole_file(path) as part:
        part.write_text(text, encoding='utf-8')


def _flush(path: Path) -> None:
    """Sync a file or folder to disk."""
    if os.name == 'nt' and path.is_dir():
        return  # Windows opens no folder
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
