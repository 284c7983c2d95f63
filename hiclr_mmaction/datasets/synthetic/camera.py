"""2-D skeletons made from 3-D ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Joint of NTU RGB+D for each of COCO's from the shoulders on.
_LIMBS = [4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18]


def to_coco(
    keypoint: np.ndarray, focal: float = 1000.0, size: Sequence[int] = (1920, 1080)
) -> np.ndarray:
    """Project joints of NTU RGB+D by a pinhole camera.

    The picture is as a camera takes it: x to its right, y down. Somebody who faces the
    camera has the left side to the right.

    Args:
        keypoint (np.ndarray): ``(..., 25, 3)``, metres in Kinect's camera space.
        focal (float): Focal length, pixels.
        size (Sequence[int]): Width and height of the picture, pixels.

    Returns:
        np.ndarray: float32 ``(..., 17, 2)``, pixels of COCO's joints.
    """
    head, neck = keypoint[..., 3, :], keypoint[..., 2, :]
    side = keypoint[..., 4, :] - keypoint[..., 8, :]  # towards the left
    side = side / np.linalg.norm(side, axis=-1, keepdims=True)
    up = (head - neck) / np.linalg.norm(head - neck, axis=-1, keepdims=True)
    nose = head + 0.10 * np.cross(up, side)
    eyes = [nose + 0.03 * up + way * 0.03 * side for way in (1, -1)]
    ears = [head + way * 0.07 * side for way in (1, -1)]
    joints = np.stack([nose, *eyes, *ears], axis=-2)
    joints = np.concatenate([joints, keypoint[..., _LIMBS, :]], axis=-2)
    plane = -joints[..., :2] / joints[..., 2:]
    return (focal * plane + np.divide(size, 2)).astype(np.float32)
