"""Skeletons made up."""

from __future__ import annotations

import numpy as np
import torch

from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.datasets.synthetic.camera import to_coco


def standing(num_frames=5):
    """A stick figure that faces a Kinect: left at smaller x."""
    body = np.zeros((25, 3))
    body[:, 1] = 1.0
    body[[0, 1, 20, 2, 3], 1] = [0, 0.3, 0.5, 0.55, 0.7]
    body[[12, 13, 14, 15], 1] = body[[16, 17, 18, 19], 1] = [0, -0.4, -0.8, -0.85]
    arm = [0.45, 0.2, 0.0, -0.05, -0.1, -0.1]
    body[[4, 5, 6, 7, 21, 22], 1] = body[[8, 9, 10, 11, 23, 24], 1] = arm
    body[[4, 5, 6, 7, 21, 22], 0] = -0.3
    body[[8, 9, 10, 11, 23, 24], 0] = 0.3
    body[12:16, 0], body[16:20, 0] = -0.1, 0.1
    body[:, 2] = 3
    return np.tile(body, (1, num_frames, 1, 1))


def moving_person(frames: int = 8, seed: int = 0, joints: int = 25) -> np.ndarray:
    """A standing person who moves a little: ``(T, V, 3)``, metres, 4 decimals."""
    rng = np.random.default_rng(seed)
    still = rng.uniform([-0.3, -0.9, 2.8], [0.3, 0.9, 3.2], (joints, 3))
    moving = still + np.cumsum(rng.normal(0, 0.02, (frames, joints, 3)), axis=0)
    return moving.round(4)


def view_batch(n=4, levels=3, persons=1, masked=True):
    """Random views as the data preprocessor gives them, of ``kinect20``."""

    def view():
        return torch.randn(n, persons, 8, 20, 3)

    mask = torch.zeros(n, 8, 20, dtype=torch.bool)
    mask[:, ::2, 5] = True
    return dict(
        key=view(),
        queries=[view() for _ in range(levels)],
        mask=mask if masked else None,
    )


def coco_annotations(**settings):
    """A pose pickle of MMAction2's kind for 2-D skeletons, splits xsub_train/xsub_val.

    Some joints have low scores; some are not seen at all in some frames.
    """
    content = pose_annotations(**settings)
    rng = np.random.default_rng(0)
    annotations = []
    for clip in content['annotations']:
        keypoint = to_coco(clip['keypoint'])
        score = rng.uniform(0.5, 1, keypoint.shape[:-1])
        lost = rng.random(score.shape) < 0.05
        score[lost], keypoint[lost] = 0, 0
        annotations.append(
            dict(
                frame_dir=clip['frame_dir'],
                label=clip['label'],
                total_frames=clip['total_frames'],
                img_shape=(1080, 1920),
                original_shape=(1080, 1920),
                keypoint=keypoint.astype(np.float16),
                keypoint_score=score.astype(np.float16),
            )
        )
    split = {f'xsub_{name}': names for name, names in content['split'].items()}
    return dict(split=split, annotations=annotations)
