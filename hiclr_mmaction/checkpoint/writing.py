"""Checkpoints to disk, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from ..atomic_write import whole_file


def write_checkpoint(
    checkpoint: dict[str, Any], path: str | os.PathLike, overwrite: bool = False
) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        checkpoint (dict[str, Any]): What :func:`torch.save` takes.
        path (str | os.PathLike): The file.
        overwrite (bool): Whether a file that is there is replaced.

    Raises:
        FileExistsError: If the file is there and ``overwrite`` is false.
        FileNotFoundError: If its folder is not there.
    """
    check_writable(path, overwrite)
    with whole_file(path) as part:
        torch.save(checkpoint, part)


def check_writable(path: str | os.PathLike, overwrite: bool) -> None:
    """Raise, as :func:`write_checkpoint` does, before any work is done."""
    path = Path(path)
    if path.is_dir():
        raise FileExistsError(f'{path} is a folder; name a file.')
    if path.exists() and not overwrite:
        raise FileExistsError(f'{path} exists; name another file, or use --overwrite.')
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f'the folder {path.parent} does not exist; make it first.'
        )
