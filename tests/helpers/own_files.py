"""Custom files, for the tests of their readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hiclr_mmaction.converters.forms import Options, read_form
from hiclr_mmaction.skeleton import get_layout

CASES = Path(__file__).parents[1] / 'data' / 'cases'

ROD = dict(
    name='rod', joints=['Foot', 'Hip', 'Head'], bones=[(1, 0), (2, 1)], center=1,
    shoulders=(0, 2),
)  # fmt: skip
FLAT = dict(ROD, coordinates='2d')
WORLD = dict(base='mediapipe', coordinates='3d')

# As the trackers' own documentation names them, in the order of their files.
KINECT_V2 = (
    'SpineBase', 'SpineMid', 'Neck', 'Head', 'ShoulderLeft', 'ElbowLeft', 'WristLeft',
    'HandLeft', 'ShoulderRight', 'ElbowRight', 'WristRight', 'HandRight', 'HipLeft',
    'KneeLeft', 'AnkleLeft', 'FootLeft', 'HipRight', 'KneeRight', 'AnkleRight',
    'FootRight', 'SpineShoulder', 'HandTipLeft', 'ThumbLeft', 'HandTipRight',
    'ThumbRight',
)  # fmt: skip
AZURE_KINECT = (
    'PELVIS', 'SPINE_NAVEL', 'SPINE_CHEST', 'NECK', 'CLAVICLE_LEFT', 'SHOULDER_LEFT',
    'ELBOW_LEFT', 'WRIST_LEFT', 'HAND_LEFT', 'HANDTIP_LEFT', 'THUMB_LEFT',
    'CLAVICLE_RIGHT', 'SHOULDER_RIGHT', 'ELBOW_RIGHT', 'WRIST_RIGHT', 'HAND_RIGHT',
    'HANDTIP_RIGHT', 'THUMB_RIGHT', 'HIP_LEFT', 'KNEE_LEFT', 'ANKLE_LEFT',
    'FOOT_LEFT', 'HIP_RIGHT', 'KNEE_RIGHT', 'ANKLE_RIGHT', 'FOOT_RIGHT', 'HEAD',
    'NOSE', 'EYE_LEFT', 'EAR_LEFT', 'EYE_RIGHT', 'EAR_RIGHT',
)  # fmt: skip
BODY_25 = (
    'Nose', 'Neck', 'RShoulder', 'RElbow', 'RWrist', 'LShoulder', 'LElbow', 'LWrist',
    'MidHip', 'RHip', 'RKnee', 'RAnkle', 'LHip', 'LKnee', 'LAnkle', 'REye', 'LEye',
    'REar', 'LEar', 'LBigToe', 'LSmallToe', 'LHeel', 'RBigToe', 'RSmallToe', 'RHeel',
)  # fmt: skip
MEDIAPIPE = (
    'NOSE', 'LEFT_EYE_INNER', 'LEFT_EYE', 'LEFT_EYE_OUTER', 'RIGHT_EYE_INNER',
    'RIGHT_EYE', 'RIGHT_EYE_OUTER', 'LEFT_EAR', 'RIGHT_EAR', 'MOUTH_LEFT',
    'MOUTH_RIGHT', 'LEFT_SHOULDER', 'RIGHT_SHOULDER', 'LEFT_ELBOW', 'RIGHT_ELBOW',
    'LEFT_WRIST', 'RIGHT_WRIST', 'LEFT_PINKY', 'RIGHT_PINKY', 'LEFT_INDEX',
    'RIGHT_INDEX', 'LEFT_THUMB', 'RIGHT_THUMB', 'LEFT_HIP', 'RIGHT_HIP', 'LEFT_KNEE',
    'RIGHT_KNEE', 'LEFT_ANKLE', 'RIGHT_ANKLE', 'LEFT_HEEL', 'RIGHT_HEEL',
    'LEFT_FOOT_INDEX', 'RIGHT_FOOT_INDEX',
)  # fmt: skip


def numbers(persons=1, frames=4, joints=3, channels=3) -> np.ndarray:
    """``(M, T, V, C)`` between 0.5 and 1, with 3 decimals."""
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 1, (persons, frames, joints, channels)).round(3)


def read(path: Path, layout=ROD, **options) -> dict:
    """What the reader of a file returns."""
    options = Options(get_layout(layout), **options)
    return read_form(path, options).sample(options)
