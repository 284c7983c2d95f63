"""The files of the zoo, read without other packages."""

from __future__ import annotations

import difflib
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
        '5def999ca016a7f1ed7eee8c7302e9328fd0a22b2e03667a5341be51082e0994'
    ),
}
#: The encoder that programs take where none is named.
DEFAULT = 'hiclr_stgcn_kinect20'
#: The weights in a folder of ``tools/checkpoint/export.py``.
WEIGHTS = 'model.safetensors'

_DTYPES = dict(F16='<f2', F32='<f4', F64='<f8', I64='<i8')


def weights_path(name: str = DEFAULT) -> Path:
    """Where the weights of an encoder are; its model card, NAME.md, is beside them.

    Args:
        name (str): A name of :data:`ZOO`.

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in ZOO:
        raise ValueError(_not_in_zoo(name))
    return Path(__file__).parent / f'{name}.safetensors'


def example_clips() -> dict[str, np.ndarray]:
    """A few synthetic clips by the name of their action, to try an encoder on.

    Returns:
        dict[str, np.ndarray]: Float32 ``(1, T, 20, 3)``, layout ``kinect20``, metres, T
        from 49 to 71.
    """
    with np.load(Path(__file__).parent / 'example_clips.npz') as clips:
        return {name: clips[name].astype(np.float32) for name in clips.files}


def find_weights(named: str | os.PathLike) -> str:
    """The file of an encoder of the zoo, of an exported folder, or the file itself.

    Args:
        named (str | os.PathLike): A name of :data:`ZOO`, a folder, a file or its address.

    Raises:
        FileNotFoundError: If there is none.
    """
    if named in ZOO:
        return str(weights_path(str(named)))
    path = Path(named)
    if path.is_dir():
        path = path / WEIGHTS
    if path.is_file():
        return str(path)
    if '://' in str(named):
        return str(named)
    if path.name == str(named) and not path.suffix:
        raise FileNotFoundError(f'{_not_in_zoo(path.name)} Nor is there such a file.')
    raise FileNotFoundError(f'checkpoint not found: {path}')


def _not_in_zoo(name: str) -> str:
    near = difflib.get_close_matches(name, ZOO, 1)
    hint = f'; did you mean {near[0]}?' if near else '.'
    return f'{name!r} is not in the zoo, which has {", ".join(ZOO)}{hint}'


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
