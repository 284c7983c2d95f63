"""Checkpoints on disk: read without running them, written whole or not at all."""

from __future__ import annotations

import ast
import copy
import os
import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from ..atomic_write import whole_file


def read_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values.

    Nothing in the file is run: one that holds code is refused.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        dict[str, Any]: ``state_dict`` (name to Tensor, on the CPU) and what else is in
        the file; a bare state dict becomes ``dict(state_dict=...)``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no checkpoint, is truncated, or holds code.
    """
    content = load_file(path)
    content = content if isinstance(content, dict) else {}
    if not isinstance(content.get('state_dict'), Mapping):
        content = dict(state_dict=content)
    weights = content['state_dict']
    if not weights or not all(isinstance(v, Tensor) for v in weights.values()):
        raise ValueError(
            f'{path} holds no state dict (names of weights with a tensor each), neither '
            "at its top nor under 'state_dict'; give a checkpoint of a model."
        )
    return content


def load_file(path: str | os.PathLike, map_location: Any = 'cpu') -> Any:
    """``torch.load`` that runs nothing of the file, and names it in its errors.

    Args:
        path (str | os.PathLike): The file.
        map_location: As ``torch.load`` takes it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated or damaged, is no PyTorch file, or holds
            code.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'checkpoint not found: {path}')
    try:
        if zipfile.is_zipfile(path):
            # torch does not look at the checksums.
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
            if damaged is not None:
                raise zipfile.BadZipFile(f'wrong checksum of {damaged}')
        return torch.load(path, map_location=map_location, weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # torch raises almost any, by where the file breaks off
        # torch's words, and compat's.
        unknown = re.search(r'GLOBAL (\S+)|asks for (attribute.*?);', str(error))
        if isinstance(error, pickle.UnpicklingError) and unknown:
            raise ValueError(
                f'{path} is refused: it holds code or objects other than tensors and '
                f'plain values ({unknown[1] or unknown[2]}), and nothing of it was run. '
                'Ask its author for the state dict alone.'
            ) from None
        # Of torch's refusal the cause alone, without its advice to trust the file.
        cause = str(error).rpartition('WeightsUnpickler error: ')[2].strip()
        reason = cause.splitlines() or [type(error).__name__]
        raise ValueError(
            f'{path} cannot be read: it is truncated, damaged or no PyTorch checkpoint '
            f'({reason[0][:120]}). Fetch it again.'
        ) from None


def find_whole_checkpoint(folder: str | os.PathLike) -> tuple[Path | None, list[str]]:
    """Find the newest checkpoint of a run that can be read.

    It is the one that ``last_checkpoint`` names or, if that is damaged, the newest of
    the others.

    Args:
        folder (str | os.PathLike): The run's work folder.

    Returns:
        tuple[Path | None, list[str]]: The checkpoint, or None if there is not any; and
        for each damaged one that was passed over, what is wrong with it.

    Raises:
        ValueError: If there are checkpoints and all are damaged.
    """
    folder = Path(folder)
    found = [*folder.glob('epoch_*.pth'), *folder.glob('iter_*.pth')]
    found += folder.glob('interrupted.pth')
    found.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    last = folder / 'last_checkpoint'
    name = last.read_text().strip() if last.is_file() else ''
    if name:
        # In this folder, if the run's folder was moved.
        moved = folder / Path(name).name
        first = moved if moved.is_file() else Path(name)
        found = [first, *(path for path in found if path.name != first.name)]
    passed_over = []
    for path in found:
        try:
            load_file(path)
        except (FileNotFoundError, ValueError) as error:
            passed_over.append(str(error))
        else:
            return path, passed_over
    if passed_over:
        raise ValueError(
            f'No checkpoint in {folder} can be read, so that the run cannot be resumed: '
            f'{" ".join(passed_over)}'
        )
    return None, []


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


def build_model(
    cfg: Mapping[str, Any], source: str | os.PathLike = 'the config'
) -> nn.Module:
    """Build a model or a part of one, inside or outside of a runner.

    Args:
        cfg (Mapping[str, Any]): Its config.
        source (str | os.PathLike): What the error calls the place of the config.

    Raises:
        ValueError: If no class of that name is registered.
    """
    missing = [
        part['type']
        for part in (cfg, cfg.get('backbone'), cfg.get('cls_head'))
        if part and isinstance(part['type'], str) and MODELS.get(part['type']) is None
    ]
    if missing:
        raise ValueError(
            f'{missing[0]} of {source} is not registered: give the config whose '
            'custom_imports names its module, and have that on PYTHONPATH.'
        )
    with DefaultScope.overwrite_default_scope('mmaction'):
        return MODELS.build(copy.deepcopy(dict(cfg)))


def check_match(
    model: nn.Module, state_dict: Mapping[str, Tensor], source: str | os.PathLike
) -> None:
    """Check that weights are those of a model, name by name and shape by shape.

    Args:
        model (nn.Module): The model.
        state_dict (Mapping[str, Tensor]): The weights.
        source (str | os.PathLike): What the error calls the weights.

    Raises:
        ValueError: If they differ; the message names the first keys that do.
    """
    expected = {name: tuple(v.shape) for name, v in model.state_dict().items()}
    given = {name: tuple(v.shape) for name, v in state_dict.items()}
    wrong = [
        f'{name} is {given[name]}, the model has {shape}'
        for name, shape in expected.items()
        if given.get(name, shape) != shape
    ]
    missing = [f'{name} is missing' for name in expected if name not in given]
    extra = [f'{name} is not in the model' for name in given if name not in expected]
    if wrong or missing or extra:
        # A few of each kind: another width shows in shapes, another model in names.
        first = [text for kind in (wrong, missing, extra) for text in kind[:2]]
        raise ValueError(
            f'{source} does not fit the model ({type(model).__name__}): '
            f'{len(wrong)} shapes differ, {len(missing)} keys are missing, '
            f'{len(extra)} are not known. First: {"; ".join(first)}. Give the config '
            'that the weights were trained with, or other weights.'
        )


def model_cfg_of(checkpoint: Mapping[str, Any], source: str | os.PathLike) -> dict:
    """The model's config from the text that MMEngine keeps in ``meta['cfg']``.

    As :func:`config_of`.
    """
    return config_of(checkpoint, source, ('model',))['model']


def config_of(
    checkpoint: Mapping[str, Any],
    source: str | os.PathLike,
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The config from the text that MMEngine keeps in ``meta['cfg']``.

    The text is Python. It is read, not run: only literals and ``dict(...)`` are taken.

    Args:
        checkpoint (Mapping[str, Any]): As :func:`read_checkpoint` returns it.
        source (str | os.PathLike): What the error calls the checkpoint.
        names (Sequence[str], optional): Settings to read. None: all.

    Raises:
        ValueError: If there is no such text, it has no model, or what is read is no
            literal.
    """
    meta = checkpoint.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    out = {}
    try:
        for statement in ast.parse(text if isinstance(text, str) else '').body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if names is None or name in names:
                        out[name] = _literal(value)
    except (SyntaxError, ValueError) as error:
        raise ValueError(
            f"the config in {source} (meta['cfg']) cannot be read: {error}. Give the "
            'config with --config.'
        ) from None
    if 'model' not in out:
        raise ValueError(
            f"{source} does not tell its model: there is no config in meta['cfg']. Give "
            'the config with --config.'
        )
    return out


def _literal(node: ast.expr) -> Any:
    """``ast.literal_eval`` that also knows ``dict(key=value)``."""
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=args, keywords=keywords):
            merged: dict = {}
            for arg in args:
                merged.update(_literal(arg))
            for keyword in keywords:
                value = _literal(keyword.value)
                merged.update(value if keyword.arg is None else {keyword.arg: value})
            return merged
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {
                _literal(k): _literal(v)  # type: ignore[arg-type]
                for k, v in zip(keys, values, strict=True)
            }
        case ast.List(elts=elements):
            return [_literal(e) for e in elements]
        case ast.Tuple(elts=elements):
            return tuple(_literal(e) for e in elements)
    return ast.literal_eval(node)
