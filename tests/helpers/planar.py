"""Skeletons in an image, made from the skeletons in space of SyntheticSkeletons."""

from __future__ import annotations

import numpy as np

from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.datasets.synthetic.camera import to_coco


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
