"""Skeletons in an image, made from the skeletons in space of SyntheticSkeletons."""

from __future__ import annotations

import numpy as np

from hiclr_mmaction.datasets.synthetic import pose_annotations

# Joint of NTU RGB+D for each of COCO's from the shoulders on.
_LIMBS = [4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18]


def to_coco(keypoint, focal=1000.0, size=(1920, 1080)):
    """Pixels ``(M, T, 17, 2)`` of clips ``(M, T, 25, 3)``, seen by a pinhole camera.

    The picture is as a camera takes it: x to its right, y down. Somebody who faces the
    camera has the left side to the right.
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
