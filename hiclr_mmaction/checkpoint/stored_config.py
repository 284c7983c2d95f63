"""The config in a checkpoint, read without running it."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence
from typing import Any

# A long config of MMAction2 has 20,000 characters.
MAX_LENGTH = 1_000_000


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

    The text is Python. It is parsed, not executed: only literals and ``dict(...)`` are
    allowed. A ``type`` must be the name of a registered class, because mmengine would
    import and call any function that is given by its path.

    Args:
        checkpoint (Mapping[str, Any]): From :func:`read_checkpoint`.
        source (str | os.PathLike): Name of the checkpoint in errors.
        names (Sequence[str], optional): Settings to read. None: all.

    Raises:
        ValueError: If there is no such text, it has no model, is too long or nested too
            deep, or contains something other than literals or a function path as type.
    """
    meta = checkpoint.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    out = {}
    try:
        for statement in _statements(text if isinstance(text, str) else ''):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if names is None or name in names:
                        out[name] = _literal(value)
        problem = None
        check_types(out)
    except (RecursionError, MemoryError):
        problem = 'it is nested too deep'
    except (SyntaxError, TypeError, ValueError) as error:
        problem = str(error)
    if problem is not None:
        raise ValueError(
            f"the config in {source} (meta['cfg']) cannot be read: {problem}. Give the "
            'config with --config.'
        )
    if 'model' not in out:
        raise ValueError(
            f"{source} does not contain its model: there is no config in meta['cfg']. Give "
            'the config with --config.'
        )
    return out


def _statements(text: str) -> list[ast.stmt]:
    if len(text) > MAX_LENGTH:
        raise ValueError(f'it has {len(text)} characters, more than {MAX_LENGTH}')
    return ast.parse(text).body


def _literal(node: ast.expr) -> Any:
    """``ast.literal_eval`` that also accepts ``dict(key=value)``."""
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


def check_types(value: Any) -> None:
    """Raise a ValueError for a ``type`` that mmengine would import by its path."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key == 'type' and isinstance(child, str) and '.' in child:
                raise ValueError(
                    f'type={child!r} is not the name of a registered class'
                )
            check_types(child)
    elif isinstance(value, list | tuple):
        for child in value:
            check_types(child)
