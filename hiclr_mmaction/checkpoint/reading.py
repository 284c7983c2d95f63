"""Read checkpoints without running code in them."""

from __future__ import annotations

import functools
import json
import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint
from safetensors import SafetensorError, safe_open
from torch import Tensor


def read_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values.

    No code in the file is run; a file that contains code is refused.

    Args:
        path (str | os.PathLike): The file, or its address.

    Returns:
        dict[str, Any]: ``state_dict`` (name to Tensor, on the CPU) and the other content of
        the file; a bare state dict becomes ``dict(state_dict=...)``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a checkpoint, is truncated, or holds code.
    """
    if '://' in str(path):
        with load_safely():
            content = CheckpointLoader.load_checkpoint(str(path), 'cpu')
    else:
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
    """``torch.load`` without running code in the file; errors name the file.

    Also reads ``.safetensors``, as ``dict(state_dict=..., meta=...)``.

    Args:
        path (str | os.PathLike): The file.
        map_location: As ``torch.load`` takes it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated or damaged, is not a PyTorch file, or holds
            code.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'checkpoint not found: {path}')
    if str(path).endswith('.safetensors'):
        return _load_safetensors(path, map_location)
    try:
        if zipfile.is_zipfile(path):
            # torch does not check the checksums.
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
            if damaged is not None:
                raise zipfile.BadZipFile(f'wrong checksum of {damaged}')
        with torch.serialization.safe_globals(_allowed_globals()):
            return torch.load(path, map_location=map_location, weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # many kinds, depending on where the file is damaged
        # The words of torch, and those of _history_statistic.
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
        raise _unreadable(path, reason[0][:120]) from None


def _load_safetensors(path: str | os.PathLike, map_location: Any) -> dict[str, Any]:
    try:
        with safe_open(path, framework='pt') as file:
            meta = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        meta.update(json.loads(meta.pop('json', '{}')))
    except (SafetensorError, ValueError) as error:
        raise _unreadable(path, str(error)[:120]) from None
    if isinstance(map_location, str | torch.device):
        weights = {name: value.to(map_location) for name, value in weights.items()}
    return dict(state_dict=weights, meta=meta)


def _unreadable(path: str | os.PathLike, reason: str) -> ValueError:
    return ValueError(
        f'{path} cannot be read: it is truncated, damaged or no PyTorch checkpoint '
        f'({reason}). Fetch it again.'
    )


def find_whole_checkpoint(folder: str | os.PathLike) -> tuple[Path | None, list[str]]:
    """Find the newest readable checkpoint of a run.

    This is the checkpoint that ``last_checkpoint`` names or, if that is damaged, the newest
    of the others.

    Args:
        folder (str | os.PathLike): The run's work folder.

    Returns:
        tuple[Path | None, list[str]]: The checkpoint, or None if there is none; and a
        message for each damaged checkpoint that was skipped.

    Raises:
        ValueError: If all checkpoints are damaged.
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


class load_safely:  # noqa: N801  used as a function, like torch.set_grad_enabled
    """Let mmengine read all checkpoints safely.

    Takes effect from the call on, or within a ``with``::

        load_safely()

        with load_safely():
            runner.train()

    For mmengine 0.10, which does not set ``weights_only``. Therefore torch 2.6 and newer
    refuse mmengine's own checkpoints (mmengine issue 1655), and files from a URL are read
    without the check. ``Runner.resume`` also executes the text ``meta['config']`` as
    Python, to look for a key that releases no longer write.
    """

    def __init__(self) -> None:
        self._load = CheckpointLoader.load_checkpoint
        self._load_url = mmengine_checkpoint.load_url
        local = CheckpointLoader._get_checkpoint_loader('')

        def load_checkpoint(
            filename: str, map_location: Any = None, logger: Any = 'current'
        ) -> Any:
            if CheckpointLoader._get_checkpoint_loader(filename) is local:
                content = load_file(os.path.expanduser(filename), map_location)
            else:
                with torch.serialization.safe_globals(_allowed_globals()):
                    content = self._load(filename, map_location, logger)
            meta = content.get('meta') if isinstance(content, dict) else None
            if isinstance(meta, dict):
                meta.pop('config', None)
            return content

        CheckpointLoader.load_checkpoint = load_checkpoint
        mmengine_checkpoint.load_url = functools.partial(
            self._load_url, weights_only=True
        )

    def undo(self) -> None:
        """Restore mmengine's own loading."""
        CheckpointLoader.load_checkpoint = self._load
        mmengine_checkpoint.load_url = self._load_url

    def __enter__(self) -> load_safely:
        return self

    def __exit__(self, *_: Any) -> None:
        self.undo()


@functools.cache
def _allowed_globals() -> list[Any]:
    """Classes in mmengine's own checkpoints besides tensors and plain values.

    Arrays of Python objects are excluded on purpose.
    """
    HistoryBuffer()  # fills in the statistics that _history_statistic looks for
    # Asked of the objects, because numpy keeps these two where it calls private,
    # and named twice, because numpy 2 renamed that place: a checkpoint written
    # under either numpy can be read under the other.
    rebuild_array = np.empty(0).__reduce__()[0]
    rebuild_scalar = np.float64(0).__reduce__()[0]
    allowed: list[Any] = [HistoryBuffer, np.ndarray, np.dtype]
    for place in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed.append((rebuild_array, f'{place}._reconstruct'))
        allowed.append((rebuild_scalar, f'{place}.scalar'))
    allowed.extend({type(np.dtype(code)) for code in '?bhilqBHILQefd'})
    allowed.append((_history_statistic, 'builtins.getattr'))
    return allowed


def _history_statistic(owner: Any, name: str) -> Any:
    """Replaces `getattr` in checkpoints; returns only statistics of `HistoryBuffer`.

    A pickled `HistoryBuffer` refers to its statistics by `getattr(HistoryBuffer, name)`.
    Python's own `getattr` would give a malicious checkpoint access to other objects.
    """
    if owner is not HistoryBuffer or name not in HistoryBuffer._statistics_methods:
        raise pickle.UnpicklingError(
            f'the checkpoint asks for attribute {name!r} of {owner!r}; only the '
            "statistics of mmengine's HistoryBuffer are allowed"
        )
    return getattr(owner, name)
