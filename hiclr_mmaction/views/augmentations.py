"""The augmentations of HiCLR as registered transforms, one class per operation.

Those that take a ``layout`` change ``x`` and ``y`` of a 2-D skeleton ``(x, y, score)``,
and keep its score.
"""

from __future__ import annotations

import math

import torch
from mmaction.registry import TRANSFORMS
from torch import Generator, Tensor

from ..skeleton import augment, get_layout
from .generator import draw_seed, from_seed, uniform
from .transform import SkeletonTransform


@TRANSFORMS.register_module()
class SkeletonShear(SkeletonTransform):
    """Shear: a linear map with unit diagonal (basic set).

    Args:
        amplitude (float): The six other entries are drawn from
            ``U(-amplitude, amplitude)``; two others of a 2-D skeleton.
        prob (float): Probability with which a sample is changed.
        layout (str | dict): The skeleton.
    """

    def __init__(
        self,
        amplitude: float = 0.5,
        prob: float = 1.0,
        layout: str | dict = 'nturgb+d',
    ) -> None:
        super().__init__(prob, layout)
        if not 0 <= amplitude < math.inf:
            raise ValueError(
                f'SkeletonShear: amplitude={amplitude}; give a number, 0 or more.'
            )
        self.amplitude = amplitude

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        axes = self.num_axes
        matrix = uniform((n, axes, axes), -self.amplitude, self.amplitude, generator)
        matrix.diagonal(dim1=-2, dim2=-1).fill_(1)
        return dict(matrix=matrix)

    def apply(self, x: Tensor, matrix: Tensor) -> Tensor:
        return self.on_coordinates(lambda xyz: augment.shear(xyz, matrix), x)


@TRANSFORMS.register_module()
class SkeletonTemporalCrop(SkeletonTransform):
    """Mirror-pad in time and crop to the old length (basic set).

    Args:
        padding_ratio (int): Each end is padded by ``T // padding_ratio`` frames.
        prob (float): Probability with which a sample is changed.
    """

    reorders_joints = True

    def __init__(self, padding_ratio: int = 6, prob: float = 1.0) -> None:
        super().__init__(prob)
        if padding_ratio < 1:
            raise ValueError(
                f'SkeletonTemporalCrop: padding_ratio={padding_ratio} is less than 1, '
                'so the padding would be longer than the clip.'
            )
        self.padding_ratio = padding_ratio

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        # A part of the range of starts, whose length depends on the clip's.
        return dict(position=uniform(n, 0, 1, generator))

    def apply(self, x: Tensor, position: Tensor) -> Tensor:
        pad = x.shape[-3] // self.padding_ratio
        # Rounding could reach 2 * pad + 1.
        start = (position * (2 * pad + 1)).long().clamp_(max=2 * pad)
        return augment.temporal_crop(x, start, pad)


@TRANSFORMS.register_module()
class SkeletonMirror(SkeletonTransform):
    """Exchange left and right joints (normal set; 'spatial flip' in the paper).

    A joint's score goes with its coordinates.

    Args:
        layout (str | dict): The skeleton.
        prob (float): Probability with which a sample is changed.
    """

    reorders_joints = True

    def __init__(self, layout: str | dict = 'nturgb+d', prob: float = 0.5) -> None:
        super().__init__(prob, layout)
        self._permutation = get_layout(layout).mirror

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        return {}

    def apply(self, x: Tensor) -> Tensor:
        return augment.mirror(x, self._permutation)


@TRANSFORMS.register_module()
class SkeletonRotate(SkeletonTransform):
    """Turn about x, y and z, about one main axis more (normal set).

    Args:
        main_degrees (float): The angle about the main axis is ``U(0, main_degrees)``.
        other_degrees (float): The others are ``U(0, other_degrees)``.
        prob (float): Probability with which a sample is changed.
        layout (str | dict): The skeleton. One of 2-D coordinates is turned about z only,
            always by ``U(0, main_degrees)``.
    """

    def __init__(
        self,
        main_degrees: float = 30,
        other_degrees: float = 1,
        prob: float = 1.0,
        layout: str | dict = 'nturgb+d',
    ) -> None:
        super().__init__(prob, layout)
        for name, angle in dict(main=main_degrees, other=other_degrees).items():
            if not math.isfinite(angle):
                raise ValueError(f'SkeletonRotate: {name}_degrees={angle} is no angle.')
        self.main_degrees = main_degrees
        self.other_degrees = other_degrees

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        largest = torch.full((n, 3), float(self.other_degrees))
        if self.num_axes == 2:
            largest = torch.tensor([0, 0, self.main_degrees])
        else:
            main = torch.randint(3, (n, 1), generator=generator)
            largest.scatter_(1, main, self.main_degrees)
        return dict(degrees=uniform((n, 3), 0, 1, generator) * largest)

    def apply(self, x: Tensor, degrees: Tensor) -> Tensor:
        if self.num_axes == 3:
            return augment.rotate(x, degrees)
        matrix = augment.rotation_matrix(degrees)[..., :2, :2]
        return self.on_coordinates(lambda xyz: augment.shear(xyz, matrix), x)


@TRANSFORMS.register_module()
class SkeletonNoise(SkeletonTransform):
    """Add Gaussian noise to every coordinate but scores (normal set).

    Args:
        std (float): Standard deviation, in the data's unit: metres, or of an aligned 2-D
            skeleton the size of the person.
        absent (bool): Whether absent persons (all zeros) get noise too, as in the
            released code. By default they stay absent.
        prob (float): Probability with which a sample is changed.
        layout (str | dict): The skeleton.
    """

    def __init__(
        self,
        std: float = 0.01,
        absent: bool = False,
        prob: float = 0.5,
        layout: str | dict = 'nturgb+d',
    ) -> None:
        super().__init__(prob, layout)
        if not 0 <= std < math.inf:
            raise ValueError(f'SkeletonNoise: std={std}; give a number, 0 or more.')
        self.std = std
        self.absent = absent

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        return dict(seed=draw_seed(generator))

    def apply(self, x: Tensor, seed: int) -> Tensor:
        shape = (*x.shape[:-1], min(self.num_axes, x.shape[-1]))
        noise = torch.randn(
            shape, generator=from_seed(seed, x.device), device=x.device, dtype=x.dtype
        )
        if not self.absent:
            noise *= (x != 0).flatten(2).any(-1)[..., None, None, None]
        return self.on_coordinates(lambda xyz: xyz.add(noise, alpha=self.std), x)


@TRANSFORMS.register_module()
class SkeletonBlur(SkeletonTransform):
    """Blur along time (normal set).

    Args:
        sigma (tuple[float, float]): Range of the standard deviation, in frames.
        kernel_size (int): Number of taps, odd.
        normalize (bool): Whether the weights sum to 1. The released code's do not.
        prob (float): Probability with which a sample is changed.
        layout (str | dict): The skeleton.
    """

    def __init__(
        self,
        sigma: tuple[float, float] = (0.1, 2),
        kernel_size: int = 15,
        normalize: bool = False,
        prob: float = 0.5,
        layout: str | dict = 'nturgb+d',
    ) -> None:
        super().__init__(prob, layout)
        if not 0 < sigma[0] <= sigma[1] < math.inf:
            raise ValueError(
                f'SkeletonBlur: sigma={tuple(sigma)} is not a range of positive numbers.'
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f'SkeletonBlur: kernel_size={kernel_size}; give an odd number of taps.'
            )
        self.sigma: tuple[float, float] = (sigma[0], sigma[1])
        self.kernel_size = kernel_size
        self.normalize = normalize

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        return dict(sigma=uniform(n, *self.sigma, generator))

    def apply(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.on_coordinates(
            lambda xyz: augment.gaussian_blur(
                xyz, sigma, self.kernel_size, self.normalize
            ),
            x,
        )


@TRANSFORMS.register_module()
class SkeletonChannelMask(SkeletonTransform):
    """Set one of x, y, z to zero, of a 2-D skeleton x or y (normal set).

    Args:
        prob (float): Probability with which a sample is changed.
        layout (str | dict): The skeleton.
    """

    def __init__(self, prob: float = 0.5, layout: str | dict = 'nturgb+d') -> None:
        super().__init__(prob, layout)

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        return dict(axis=torch.randint(self.num_axes, (n,), generator=generator))

    def apply(self, x: Tensor, axis: Tensor) -> Tensor:
        return augment.channel_mask(x, axis)


@TRANSFORMS.register_module()
class SkeletonTimeFlip(SkeletonTransform):
    """Play the clip backwards (not in the default sets of the paper).

    Args:
        prob (float): Probability with which a sample is changed.
    """

    reorders_joints = True

    def __init__(self, prob: float = 0.5) -> None:
        super().__init__(prob)

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        return {}

    def apply(self, x: Tensor) -> Tensor:
        return augment.time_flip(x)


@TRANSFORMS.register_module()
class SkeletonJointMask(SkeletonTransform):
    """Mask some joints of each frame (strong set; 'random mask' in the paper).

    On its own in a pipeline it sets the masked joints to zero, scores too. Within
    :class:`GrowingAugmentation` the mask is handed to the model, which puts its
    learnable value there (and a score of 0), after the stream is made.

    Args:
        ratio (float): ``int(V * ratio)`` joints of each frame are masked, the same of
            all persons.
        prob (float): Probability with which a sample is changed.
        segments (int, optional): Segments of time within which the same joints are
            masked, of equal length but for rounding; None: every frame has its own.
    """

    masks_joints = True

    def __init__(
        self, ratio: float = 0.1, prob: float = 1.0, segments: int | None = None
    ) -> None:
        super().__init__(prob)
        if segments is not None and (type(segments) is not int or segments < 1):
            raise ValueError(
                f'{type(self).__name__}: segments={segments}; give a whole number of '
                'segments of time, 1 or more, or None.'
            )
        self.segments = segments
        if not 0 < ratio < 1:
            raise ValueError(
                f'{type(self).__name__}: ratio={ratio} is out of range; it is the part of '
                'the joints that is masked, between 0 and 1.'
            )
        self.ratio = ratio

    def draw(self, n: int, generator: Generator | None = None) -> dict:
        return dict(seed=draw_seed(generator))

    def apply(self, x: Tensor, seed: int) -> Tensor:
        n, _, frames, joints, _ = x.shape
        generator = from_seed(seed, x.device)
        drawn = min(self.segments or frames, frames)
        mask = augment.joint_mask(n, drawn, joints, self.ratio, generator)
        if drawn == frames:
            return mask
        return mask[:, torch.arange(frames, device=mask.device) * drawn // frames]
