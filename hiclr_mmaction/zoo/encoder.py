"""An encoder that needs torch and numpy alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..annotations import check_keypoint, join_score
from ..skeleton import (
    SkeletonLayout,
    align_clip,
    checked_pool,
    get_layout,
    layer_features,
    side_by_side,
    to_stream,
)
from .files import ZOO, read_weights, weights_path
from .stgcn import PlainSTGCN

# Transforms that are done here, or need not be done.
_PLAIN = {'SkeletonAlign', 'SkeletonToLayout', 'PackSkeletonViews'}


class ZooEncoder(nn.Module):
    """An exported ST-GCN with the alignment and the stream that it was trained with.

    Args:
        weights (Mapping[str, Tensor]): Of :func:`read_weights`.
        meta (Mapping): Likewise: ``backbone``, ``preparation`` and ``stream``.
        source (str | os.PathLike): What errors call the weights.
        pool (Mapping, optional): What the features keep apart, see
            :func:`~hiclr_mmaction.skeleton.layer_features`. None: as in training.

    Raises:
        ValueError: If the weights are not of an ST-GCN or its clips are prepared with
            more than alignment, or ``pool`` is out of range.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        meta: Mapping[str, Any],
        source: str | os.PathLike = 'the weights',
        pool: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        pipeline = (meta.get('preparation') or {}).get('pipeline') or ()
        aligns = [t for t in pipeline if t.get('type') == 'SkeletonAlign']
        if not aligns or not meta.get('backbone'):
            raise ValueError(
                f'{source} does not say its backbone and its alignment; export it again '
                'with tools/checkpoint/export.py.'
            )
        others = {str(t.get('type')) for t in pipeline} - _PLAIN
        if others:
            raise ValueError(
                f'{source} prepares clips with {", ".join(sorted(others))}, which needs '
                "MMAction2; pip install 'hiclr-mmaction[lite]'."
            )
        self.pool = checked_pool(meta.get('pool') if pool is None else pool)
        self.layout: SkeletonLayout = get_layout(aligns[0].get('layout', 'nturgb+d'))
        self.stream = str(meta.get('stream', 'joint'))
        names = ('num_frames', 'num_person', 'untracked', 'max_gap')
        self.align = {k: aligns[0][k] for k in names if k in aligns[0]}
        self.align.setdefault('num_frames', 50)
        self.align.setdefault('num_person', 2)
        prefix = 'backbone.'
        self.backbone = PlainSTGCN(
            {k[len(prefix) :]: v for k, v in weights.items() if k.startswith(prefix)},
            meta['backbone'],
        )

    @classmethod
    def of(cls, name: str, pool: Mapping[str, Any] | None = None) -> ZooEncoder:
        """The encoder of the zoo with this name.

        Raises:
            ValueError: If there is none, or its file is damaged.
        """
        path = weights_path(name)
        return cls(*read_weights(path, ZOO[name]), path, pool)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.backbone.parameters()).device

    def prepare(self, clip: np.ndarray | Mapping, name: str) -> Tensor:
        """Align one raw clip ``(M, T, V, C)``, by ``name`` in errors."""
        sample = dict(clip) if isinstance(clip, Mapping) else dict(keypoint=clip)
        join_score(sample, self.layout)
        check_keypoint(sample['keypoint'], self.layout, name)
        x = torch.from_numpy(np.array(sample['keypoint'], np.float32))
        try:
            return align_clip(x, self.layout, **self.align)
        except ValueError as error:
            raise ValueError(f'clip {name!r}: {error}') from error

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Features ``(N, D)`` of clips that :meth:`prepare` made."""
        x = to_stream(torch.stack(inputs).to(self.device), self.stream, self.layout)
        return side_by_side(layer_features(self.backbone, x, self.pool))
