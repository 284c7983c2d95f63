"""On which side of a person is what the layout calls left?"""

from __future__ import annotations

import numpy as np

from ..skeleton import SkeletonLayout
from ..skeleton.joint_names import find_joint, index_joints


class Sides:
    """Compares the names of joints with the sides of the persons.

    Args:
        layout (SkeletonLayout): The skeleton; its shoulders and the names of its joints
            are used.
    """

    def __init__(self, layout: SkeletonLayout) -> None:
        self.layout = layout
        index = index_joints(layout.joints)
        self.legs = [
            [find_joint(index, side, p) for p in ('hip', 'knee', 'ankle', 'foot')]
            for side in ('left', 'right')
        ]

    def __call__(self, x: np.ndarray) -> float | None:
        """Whether joints named left are on the left side.

        In 3-D, forward is the direction of the feet and of bent knees, and up is from hips
        to shoulders; forward x up points right if the axes are right-handed, as Kinect's
        are. In 2-D, a person who faces the camera has the left side on the right of the
        image.

        Args:
            x (np.ndarray): Coordinates ``(M, T, V, 3)``.

        Returns:
            float | None: From -1 (exchanged) to 1 (correct); None if unknown.
        """
        if self.layout.shoulders is None:
            return None
        weigh = self._in_2d if self.layout.coordinates == '2d' else self._in_3d
        weight = weigh(x, *self.layout.shoulders)
        if weight is None or not (total := np.abs(weight).sum()):
            return None
        return float(weight.sum() / total)

    def _in_2d(self, x: np.ndarray, right: int, left: int) -> np.ndarray | None:
        """How far the left side is to the right, in each frame of each person."""
        face = [j for j, name in enumerate(self.layout.joints) if 'eye' in name]
        if not face:
            return None
        # From behind, eyes are not detected, or with low scores.
        seen = x[..., [right, left, *face], 2].min(-1) > 0.5
        return (x[..., left, 0] - x[..., right, 0]) * seen

    def _in_3d(self, x: np.ndarray, right: int, left: int) -> np.ndarray | None:
        """How far the right side is to the right, in each frame of each person."""
        forward = np.zeros_like(x[..., 0, :])
        hips = []
        for hip, knee, ankle, foot in self.legs:
            if hip is None:
                return None
            hips.append(x[..., hip, :])
            if knee is not None and ankle is not None:
                middle = (x[..., hip, :] + x[..., ankle, :]) / 2
                forward += x[..., knee, :] - middle
            if foot is not None and ankle is not None:
                forward += x[..., foot, :] - x[..., ankle, :]
        up = x[..., right, :] + x[..., left, :] - hips[0] - hips[1]
        across = x[..., right, :] - x[..., left, :]
        return (across * np.cross(forward, up)).sum(-1)
