"""A body whose sides and measures are known."""

import numpy as np


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
