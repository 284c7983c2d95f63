"""The base of skeleton transforms: draw first, then apply a pure function."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Generator, Tensor

from ..skeleton import get_layout
from ..skeleton.augment import on_coordinates
from .generator import to_device, uniform, worker_generator


class ShownTransform(BaseTransform):
    """A transform whose ``repr`` shows its public attributes, which are its arguments."""

    def __repr__(self) -> str:
        public = {k: v for k, v in vars(self).items() if not k.startswith('_')}
        arguments = ', '.join(f'{k}={v!r}' for k, v in public.items())
        return f'{type(self).__name__}({arguments})'


class SkeletonTransform(ShownTransform):
    """Base of random transforms of skeletons, for batches and in pipelines.

    A subclass implements :meth:`draw` and :meth:`apply`. The base selects samples with
    ``prob`` and passes only those on.

    Required and Modified Keys, on one clip of a pipeline:

    - keypoint (np.ndarray): ``(M, T, V, C)``

    Args:
        prob (float): Probability with which a sample is changed.
        layout (str | dict, optional): The skeleton, where the transform depends on it.

    Attributes:
        masks_joints (bool): Whether :meth:`apply` returns, instead of clips, the joints
            to mask: bool ``(N, T, V)``, true where masked. A learner puts its learnable
            value there; a pipeline sets them to zero.
        reorders_joints (bool): Whether joints or frames are reordered. An earlier mask
            would then mask the wrong ones.

    Raises:
        ValueError: If ``prob`` is not between 0 and 1, or the layout is unknown.
    """

    masks_joints = False
    reorders_joints = False

    def __init__(self, prob: float = 1.0, layout: str | dict | None = None) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(
                f'{type(self).__name__}: prob={prob} is not a probability (0 to 1).'
            )
        self.prob = prob
        self._layout = None
        if layout is not None:
            self.layout = layout
            self._layout = get_layout(layout)

    @abstractmethod
    def draw(self, n: int, generator: Generator | None = None) -> dict:
        """Draw the parameters of ``n`` samples.

        Args:
            n (int): Number of samples, all of which will be changed.
            generator (Generator, optional): The only source of randomness, a generator
                of the CPU (torch's own if None), which avoids waiting for a GPU and
                gives the same draws on every device.

        Returns:
            dict: Keyword arguments of :meth:`apply`: tensors with one row per sample.
            If the number of draws depends on the clips' shape (noise, masks), draw one
            seed here (:func:`draw_seed`) and the rest in :meth:`apply`
            (:func:`from_seed`).
        """

    @abstractmethod
    def apply(self, x: Tensor, **draws: Any) -> Tensor:
        """Change a batch.

        Args:
            x (Tensor): Clips ``(N, M, T, V, C)``, on any device. Leave them unchanged.
            **draws: What :meth:`draw` returned for ``N`` samples, on the same device.

        Returns:
            Tensor: Clips of the same shape; of a mask, see ``masks_joints``.
        """

    @property
    def num_axes(self) -> int:
        """Number of leading channels that are coordinates: 3, or 2 of a 2-D layout."""
        return 3 if self._layout is None else self._layout.num_axes

    def on_coordinates(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Apply a function to coordinates ``(..., num_axes)``; keep the scores."""
        return on_coordinates(function, x, self.num_axes)

    def sample(
        self, n: int, generator: Generator | None = None
    ) -> tuple[Tensor | None, dict]:
        """Choose samples by ``prob``, and draw for them.

        Returns:
            tuple[Tensor | None, dict]: Indices of the chosen samples, None for all of
            ``n``; and what :meth:`draw` returned for them.
        """
        if self.prob == 1:
            return None, self.draw(n, generator)
        rows = (uniform(n, 0, 1, generator) < self.prob).nonzero().squeeze(1)
        return rows, self.draw(len(rows), generator) if len(rows) else {}

    def change(self, x: Tensor, rows: Tensor | None, draws: dict) -> Tensor:
        """Apply what :meth:`sample` returned to a batch.

        Returns:
            Tensor: The batch, changed in the chosen samples; or where joints are masked
            their mask ``(N, T, V)``, false in the other samples.
        """
        draws = {
            name: to_device(value, x.device) if isinstance(value, Tensor) else value
            for name, value in draws.items()
        }
        if rows is None:
            return self.apply(x, **draws)
        out = x
        if self.masks_joints:
            out = x.new_zeros(x.shape[0], *x.shape[2:4], dtype=torch.bool)
        if len(rows) == 0:
            return out
        rows = to_device(rows, x.device)
        return out.index_copy(0, rows, self.apply(x.index_select(0, rows), **draws))

    def check_coordinates(
        self, coordinates: str | None, giver: str = 'SkeletonAlign'
    ) -> None:
        """Raise a ValueError if clips are of another kind of skeleton.

        Args:
            coordinates (str, optional): The kind, ``'3d'`` or ``'2d'``, if known.
            giver (str): Who was given a layout of that kind.
        """
        if self._layout is None or coordinates in (None, self._layout.coordinates):
            return
        raise ValueError(
            f'{type(self).__name__}: layout={self._layout.name!r} has '
            f'{self._layout.coordinates!r} coordinates, but {giver} was given one with '
            f'{coordinates!r}; set layout of the transform, or of GrowingAugmentation, '
            'to the layout of the data.'
        )

    def transform(self, results: dict) -> dict:
        """Change one clip of a pipeline."""
        self.check_coordinates(results.get('coordinates'))
        x = clip_of(results).unsqueeze(0)
        out = self.change(x, *self.sample(1, worker_generator()))
        if self.masks_joints:
            out = x.masked_fill(out[:, None, :, :, None], 0)
        results['keypoint'] = out[0].numpy()
        return results


def clip_of(results: dict) -> Tensor:
    """The clip of a pipeline, float32 ``(M, T, V, C)``."""
    return torch.from_numpy(np.ascontiguousarray(results['keypoint'], np.float32))
