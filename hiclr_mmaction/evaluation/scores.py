"""Scores of classes as mmengine's ``DumpResults`` writes them, with class names."""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmaction.registry import METRICS
from mmengine.evaluator import DumpResults
from torch import Tensor

from ..annotations.safe_pickle import SafeUnpickler, load_pickle


@dataclass(frozen=True)
class Scores:
    """Scores of the clips of a test set.

    Attributes:
        scores (np.ndarray): float ``(N, K)``.
        labels (np.ndarray): int ``(N,)``, the true classes.
        names (list[str]): ``frame_dir`` of each clip, ``''`` if unknown.
        classes (list[str] | None): Names of the classes; None if unknown.
    """

    scores: np.ndarray
    labels: np.ndarray
    names: list[str]
    classes: list[str] | None = None

    @property
    def predicted(self) -> np.ndarray:
        """The class with the highest score, ``(N,)``."""
        return self.scores.argmax(1)


@METRICS.register_module()
class DumpScores(DumpResults):
    """``DumpResults`` that also stores the class names of the data set.

    The file is the same list of dicts. The first of them also has ``classes``.
    """

    default_prefix = 'scores'  # without one mmengine warns

    def compute_metrics(self, results: list) -> dict:
        """Write the file."""
        classes = (self.dataset_meta or {}).get('classes')
        if results and classes:
            results[0]['classes'] = list(classes)
        return super().compute_metrics(results)


def read_scores(path: str | Path) -> Scores:
    """Read the file that ``tools/test.py --dump`` writes, without running code in it.

    Args:
        path (str | Path): The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it would run code, or holds no scores with labels.
    """
    rows = load_pickle(path, unpickler=_TensorUnpickler)
    try:
        scores = [np.asarray(row['pred_score']) for row in rows]
        labels = [int(np.asarray(row['gt_label']).item()) for row in rows]
        names = [str(row.get('frame_dir', '')) for row in rows]
        table = np.stack(scores)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(
            f'{path} holds no scores of classes with labels ({error!r}): it should be a '
            'list of dict(pred_score=(K,), gt_label=...), as tools/test.py CONFIG '
            'CHECKPOINT --dump writes for a classifier.'
        ) from error
    if table.ndim != 2 or max(labels) >= table.shape[1] or min(labels) < 0:
        raise ValueError(
            f'{path}: labels {min(labels)} to {max(labels)} do not go with scores of '
            f'shape {table.shape}, (clips, classes).'
        )
    classes = [str(name) for name in rows[0].get('classes') or ()]
    known = classes if len(classes) == table.shape[1] else None
    return Scores(table.astype(np.float64), np.array(labels), names, known)


class _Storage:
    """The numbers of a tensor, read as torch reads weights: without running code."""

    __slots__ = ()

    def __call__(self, data: bytes) -> Any:
        return torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)


class _RebuildTensor:
    __slots__ = ()

    def __call__(
        self, storage: Any, offset: int, size: tuple, stride: tuple, *_: Any
    ) -> Tensor:
        return torch._utils._rebuild_tensor_v2(
            storage, offset, size, stride, False, OrderedDict()
        )


class _NoHooks:
    __slots__ = ()

    def __call__(self) -> OrderedDict:
        return OrderedDict()


_TORCH = {
    'torch._utils._rebuild_tensor_v2': _RebuildTensor(),
    'torch.storage._load_from_bytes': _Storage(),
    'collections.OrderedDict': _NoHooks(),
}


class _TensorUnpickler(SafeUnpickler):
    """Admits tensors too."""

    def find_class(self, module: str, name: str) -> Any:
        found = _TORCH.get(f'{module}.{name}')
        return super().find_class(module, name) if found is None else found
