"""The files of the zoo, read without other packages."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: SHA-256 of the weights of each encoder, by its name.
ZOO: dict[str, str] = {
    'hiclr_stgcn_kinect20': (
        '9c18379d1ea1413555dbc06cc9496b5927f9236d80490e92ecf22bb805e9cc6a'
    ),
}
#: The encoder that programs take where none is named.
DEFAULT = 'hiclr_stgcn_kinect20'

_DTYPES = dict(F16='<f2', F32='<f4', F64='<f8', I64='<i8')


def weights_path(name: str = DEFAULT) -> Path:
    """Where the weights of an encoder are; its model card, NAME.md, is beside them.

    Args:
        name (str): A name of :data:`ZOO`.

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in ZOO:
        raise ValueError(f'{name!r} is not in the zoo; it has {", ".join(ZOO)}.')
    return Path(__file__).parent / f'{name}.safetensors'


def read_weights(
    path: str | os.PathLike, sha256: str | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a safetensors file that ``tools/checkpoint/export.py`` wrote.

    Args:
        path (str | os.PathLike): The file.
        sha256 (str, optional): What its digest must be.

    Returns:
        tuple[dict[str, Tensor], dict]: Weights by name, and what else is in the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged.
    """
    content = Path(path).read_bytes()
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f'{path} is damaged: its SHA-256 is not {sha256}. Install the package again.'
        )
    try:
        size = int.from_bytes(content[:8], 'little')
        header = json.loads(content[8 : 8 + size])
        meta = header.pop('__metadata__', {})
        meta.update(json.loads(meta.pop('json', '{}')))
        body = memoryview(content)[8 + size :]
        weights = {}
        for name, entry in header.items():
            start, end = entry['data_offsets']
            values = np.frombuffer(body[start:end], _DTYPES[entry['dtype']])
            weights[name] = torch.from_numpy(values.reshape(entry['shape']).copy())
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'{path} cannot be read: it is damaged or no safetensors file ({error}).'
        ) from None
    return weights, meta
