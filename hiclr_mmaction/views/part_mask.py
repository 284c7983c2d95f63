"""Masks of connected joints."""

from __future__ import annotations

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor

from ..skeleton import get_layout
from ..skeleton.regions import connected_joints, joint_distances
from .augmentations import SkeletonJointMask
from .generator import from_seed, to_device


@TRANSFORMS.register_module()
class SkeletonPartMask(SkeletonJointMask):
    """Mask connected joints, others in each segment of time.

    After the topology-based masks of PCM3 (ACM MM 2023, arXiv 2308.03975). In each segment
    a random joint is masked with those that are the fewest bones away from it.

    Args:
        ratio (float): ``int(V * ratio)`` joints of each frame are masked, the same of
            all persons.
        prob (float): Probability with which a sample is changed.
        segments (int, optional): As in :class:`SkeletonJointMask`.
        layout (str | dict): The skeleton.
    """

    def __init__(
        self,
        ratio: float = 0.5,
        prob: float = 1.0,
        segments: int | None = 4,
        layout: str | dict = 'nturgb+d',
    ) -> None:
        super().__init__(ratio, prob, segments)
        self.layout = layout
        self._layout = get_layout(layout)
        self._distances = joint_distances(self._layout)

    def apply(self, x: Tensor, seed: int) -> Tensor:
        n, _, frames, joints, _ = x.shape
        drawn = min(self.segments or frames, frames)
        count = int(joints * self.ratio + 1e-9)
        counts = torch.full((n, drawn), count, device=x.device)
        distances = to_device(self._distances, x.device)
        mask = connected_joints(distances, counts, from_seed(seed, x.device))
        return mask[:, torch.arange(frames, device=x.device) * drawn // frames]
