"""What the skeleton transforms share: draws first, then a pure function."""

from __future__ import annotations

import os
import random
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Generator, Tensor
from torch.utils.data import get_worker_info

from ..skeleton import SkeletonLayout, get_layout
from ..skeleton.augment import on_places

_worker_generator: tuple[Any, Generator] | None = None


def worker_generator() -> Generator:
    """The generator from which a pipeline draws in this process.

    In the main process it is torch's own. A data worker has one of its own: mmengine
    seeds the workers of a loader alike in every epoch, so that without persistent
    workers each epoch would repeat the views of the one before. The seed that torch
    gives the workers of an epoch is new every time, and mmengine's is different on
    each rank; both together seed this generator.
    """
    global _worker_generator
    info = get_worker_info()
    if info is None:
        return torch.default_generator
    # A forked worker inherits the variable: the key tells whose it is.
    key = (os.getpid(), info.seed)
    if _worker_generator is None or _worker_generator[0] != key:
        _worker_generator = key, seeded_generator([info.seed, torch.initial_seed()])
    return _worker_generator[1]


def seed_worker(entropy: Sequence[int]) -> None:
    """Seed the generators of Python, numpy and torch in a data worker.

    :func:`worker_generator` then gives torch's, as in the main process.

    Args:
        entropy (Sequence[int]): What the seeds are made from, not negative.
    """
    global _worker_generator
    words = np.random.SeedSequence(entropy).generate_state(3)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    # Not torch.manual_seed, which would see to the devices as well each time.
    torch.default_generator.manual_seed(int(words[2]))
    info: Any = get_worker_info()
    _worker_generator = (os.getpid(), info.seed), torch.default_generator


class SkeletonTransform(BaseTransform):
    """Base of the augmentations: :meth:`draw` parameters, then :meth:`apply` them.

    Drawing and applying are apart, so that the same transform serves one sample in a
    pipeline and a batch on a device, and can be tested with fixed draws.

    Required Keys:

    - keypoint (np.ndarray): ``(M, T, V, C)``

    Modified Keys:

    - keypoint

    Args:
        prob (float): Probability with which a sample is changed.
        layout (str | dict, optional): The skeleton, for those that depend on it.
    """

    _layout: SkeletonLayout | None = None

    def __init__(self, prob: float = 1.0, layout: str | dict | None = None) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(
                f'{type(self).__name__}: prob={prob} is not a probability (0 to 1).'
            )
        self.prob = prob
        if layout is not None:
            self.layout = layout
            self._layout = get_layout(layout)

    @abstractmethod
    def draw_parameters(self, n: int, generator: Generator | None) -> dict:
        """Draw what :meth:`change` needs for ``n`` samples, one row a sample."""

    @abstractmethod
    def change(self, x: Tensor, **parameters: Any) -> Tensor:
        """Change every clip of ``x`` ``(N, M, T, V, C)`` by the drawn parameters."""

    def draw_for_clips(
        self, n: int, shape: Sequence[int], generator: Generator | None
    ) -> dict:
        """Draw for ``n`` clips of a shape that is known, ``(M, T, V, C)``."""
        return self.draw_parameters(n, generator)

    def draw(
        self,
        n: int,
        generator: Generator | None = None,
        shape: Sequence[int] | None = None,
    ) -> dict:
        """Draw the parameters for ``n`` samples, on the generator's device.

        Args:
            n (int): Number of samples.
            generator (Generator, optional): torch's own for the CPU, if None.
            shape (Sequence[int], optional): Of a clip, ``(M, T, V, C)``. Give it where
                the generator is a GPU's: without it noise and masks draw seeds, and the
                host waits for the GPU to read them.

        Returns:
            dict: Keyword arguments of :meth:`apply`; ``chosen`` (bool ``(n,)``) tells
            which samples are changed, and is absent where all are.
        """
        if shape is None:
            draws = self.draw_parameters(n, generator)
        else:
            draws = self.draw_for_clips(n, shape, generator)
        if self.prob < 1:
            draws['chosen'] = uniform((n,), 0, 1, generator) < self.prob
        return draws

    def apply(
        self, x: Tensor, chosen: Tensor | None = None, **parameters: Any
    ) -> Tensor:
        """Apply draws to a batch.

        Args:
            x (Tensor): Clips ``(N, M, T, V, C)``, on any device.
            chosen (Tensor, optional): bool ``(N,)``, the samples to change.
            **parameters: The other draws.

        Returns:
            Tensor: The changed batch; ``x`` itself is left as it is.
        """
        if chosen is None:
            return self.change(x, **parameters)
        if x.device.type != 'cpu' or torch.compiler.is_compiling():
            # All are changed, for which are chosen only the device knows: the host
            # would wait for it.
            chosen = chosen.to(x.device)[:, None, None, None, None]
            return torch.where(chosen, self.change(x, **parameters), x)
        rows = chosen.nonzero().squeeze(1)
        if rows.shape == chosen.shape:
            return self.change(x, **parameters)
        if rows.shape[0] == 0:
            return x
        parameters = {
            name: value.index_select(0, rows) if isinstance(value, Tensor) else value
            for name, value in parameters.items()
        }
        changed = self.change(x.index_select(0, rows), **parameters)
        return x.index_copy(0, rows, changed)

    @property
    def num_axes(self) -> int:
        """Number of leading coordinates that are places: 3, or 2 in an image."""
        return 3 if self._layout is None else self._layout.num_axes

    def on_places(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Apply a function to places ``(..., num_axes)``; keep the scores."""
        if self._layout is None:
            return function(x)
        return on_places(function, x, self._layout)

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
            f'{type(self).__name__}: layout={self._layout.name!r} is of '
            f'{self._layout.coordinates!r} coordinates, but {giver} was given one of '
            f'{coordinates!r}; set layout of the transform, or of GrowingAugmentation, '
            'to the layout of the data.'
        )

    def transform(self, results: dict) -> dict:
        """Apply the transform to one sample of a pipeline."""
        self.check_coordinates(results.get('coordinates'))
        x = torch.from_numpy(
            np.ascontiguousarray(results['keypoint'], np.float32)
        ).unsqueeze(0)
        x = self.apply(x, **self.draw(1, worker_generator()))
        results['keypoint'] = x.squeeze(0).numpy()
        return results

    def _arguments(self) -> dict:
        """The arguments that ``repr`` shows: the public attributes."""
        return {k: v for k, v in vars(self).items() if not k.startswith('_')}

    def __repr__(self) -> str:
        arguments = ', '.join(f'{k}={v!r}' for k, v in self._arguments().items())
        return f'{type(self).__name__}({arguments})'


class SkeletonFieldTransform(SkeletonTransform):
    """Base of those that draw something for each joint of each frame (noise, masks).

    How many those are, only the clips tell. Where their shape is not given, a seed a
    sample is drawn, and the rest when it is applied: for those only that are changed.
    """

    @abstractmethod
    def draw_field(self, shape: Sequence[int], generator: Generator | None) -> Tensor:
        """Draw for clips of shape ``(N, M, T, V, C)``, one row a sample."""

    def draw_parameters(self, n: int, generator: Generator | None) -> dict:
        seed = torch.randint(
            2**62, (n,), generator=generator, device=device_of(generator)
        )
        return dict(seed=seed)

    def draw_for_clips(
        self, n: int, shape: Sequence[int], generator: Generator | None
    ) -> dict:
        return dict(field=self.draw_field((n, *shape), generator))

    def field(
        self, x: Tensor, field: Tensor | None = None, seed: Tensor | None = None
    ) -> Tensor:
        """What was drawn for the clips ``x``, directly or by seeds ``(N,)``."""
        if seed is not None:
            one, generator = (1, *x.shape[1:]), Generator(x.device)
            field = torch.cat(
                [self.draw_field(one, generator.manual_seed(s)) for s in seed.tolist()]
            )
        assert field is not None  # draw gives one of the two
        return field.to(x.device)


def uniform(
    shape: tuple[int, ...], low: float, high: float, generator: Generator | None
) -> Tensor:
    """Uniform draws in ``[low, high)``, on the generator's device."""
    draws = torch.empty(shape, device=device_of(generator))
    return draws.uniform_(low, high, generator=generator)


def device_of(generator: Generator | None) -> torch.device | None:
    """Where a generator draws."""
    return None if generator is None else generator.device


def seeded_generator(
    entropy: Sequence[int], device: torch.device | str = 'cpu'
) -> Generator:
    """Generator on ``device`` whose seed is mixed from several numbers."""
    (seed,) = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    return Generator(device=device).manual_seed(int(seed) >> 1)
