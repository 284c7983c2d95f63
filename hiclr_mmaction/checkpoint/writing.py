"""Atomic writing of checkpoints."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from ..atomic_write import whole_file


def write_checkpoint(
    checkpoint: dict[str, Any], path: str | os.PathLike, overwrite: bool = False
) -> None:
    """Write a checkpoint atomically.

    Args:
        checkpoint (dict[str, Any]): As for :func:`torch.save`.
        path (str | os.PathLike): The file. A ``.safetensors`` file contains ``state_dict``,
            and ``meta`` as JSON.
        overwrite (bool): Whether an existing file is replaced.

    Raises:
        FileExistsError: If the file exists and ``overwrite`` is false.
        FileNotFoundError: If its folder does not exist.
    """
    check_writable(path, overwrite)
    if str(path).endswith('.safetensors'):
        content = _safetensors(checkpoint)
    else:
        # In memory, because torch's own writer hides the cause of an error.
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        content = buffer.getvalue()
    with whole_file(path) as part:
        part.write_bytes(content)


def _safetensors(checkpoint: dict[str, Any]) -> bytes:
    meta = dict(checkpoint.get('meta') or {})
    texts = {k: meta.pop(k) for k in list(meta) if isinstance(meta[k], str)}
    weights = {k: v.contiguous() for k, v in checkpoint['state_dict'].items()}
    metadata = dict(format='pt', json=json.dumps(meta, default=str), **texts)
    return save(weights, metadata)


def check_writable(path: str | os.PathLike, overwrite: bool) -> None:
    """Raise the errors of :func:`write_checkpoint` before any work is done."""
    path = Path(path)
    if path.is_dir():
        raise FileExistsError(f'{path} is a folder; name a file.')
    if path.exists() and not overwrite:
        raise FileExistsError(f'{path} exists; name another file, or use --overwrite.')
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f'the folder {path.parent} does not exist; make it first.'
        )
