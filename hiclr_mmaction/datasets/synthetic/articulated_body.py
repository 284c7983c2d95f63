"""A body of 25 joints that follows its pelvis, trunk, wrists and ankles.

Everything here is in the actor's own axes: ``x`` to the actor's left, ``y`` up,
``z`` forward (right-handed), in metres, with the floor at ``y = 0``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial.transform import Rotation

from hiclr_mmaction.skeleton.layouts import get_layout

LEFT, RIGHT = 0, 1
OUTWARD = (1.0, -1.0)  # sign of x that leads away from the body, per side
MIRROR = list(get_layout('nturgb+d').mirror)

_ARM_JOINTS = ((4, 5, 6, 7, 21, 22), (8, 9, 10, 11, 23, 24))
_LEG_JOINTS = ((12, 13, 14, 15), (16, 17, 18, 19))
_STRETCH = 0.998  # a limb never quite straightens, so its bend has a side
_SMALLEST_BEND = np.radians(35)  # nor does it fold onto itself


@dataclass(frozen=True)
class Body:
    """Lengths of one person, in metres.

    The proportions are those that Kinect v2 reports, hence a 'base of spine'
    as high as the hips and shoulders below the top of the spine.
    """

    ankle: float
    shank: float
    thigh: float
    foot: float
    hip: float
    lower_spine: float
    upper_spine: float
    neck: float
    head: float
    shoulder: float
    upper_arm: float
    forearm: float
    hand: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Body:
        """Draw a person: a stature, then each length about its usual share.

        Args:
            rng (np.random.Generator): Source of the draws.
        """
        stature = rng.uniform(1.48, 1.92)
        legs, arms, width = rng.uniform(0.93, 1.07, 3)

        def length(share, group=1.0):
            return stature * share * group * rng.uniform(0.97, 1.03)

        return cls(
            ankle=length(0.045),
            shank=length(0.235, legs),
            thigh=length(0.240, legs),
            foot=length(0.075),
            hip=length(0.050, width),
            lower_spine=length(0.165),
            upper_spine=length(0.125),
            neck=length(0.042),
            head=length(0.085),
            shoulder=length(0.107, width),
            upper_arm=length(0.160, arms),
            forearm=length(0.145, arms),
            hand=length(0.045, arms),
        )

    @property
    def leg(self) -> float:
        """Length from hip to ankle of a straight leg."""
        return self.thigh + self.shank

    @property
    def arm(self) -> float:
        """Length from shoulder to wrist of a straight arm."""
        return self.upper_arm + self.forearm

    @property
    def pelvis_height(self) -> float:
        """Height of the base of the spine when standing at ease."""
        return self.ankle + 0.995 * self.leg + 0.2 * self.hip

    @property
    def chest_height(self) -> float:
        """Height of the top of the spine (joint 20) when standing."""
        return self.pelvis_height + self.lower_spine + self.upper_spine

    def shoulder_offset(self, side: int) -> np.ndarray:
        """Shoulder of a side seen from the top of the spine, ``(3,)``."""
        return self.shoulder * np.array([OUTWARD[side], -0.2, 0])

    def reach(self, side: int, place) -> np.ndarray:
        """Where the wrist is when held at a place relative to its shoulder.

        Args:
            side (int): ``LEFT`` or ``RIGHT``.
            place (array_like): ``(..., 3)`` outward, up and forward, in arm
                lengths.

        Returns:
            np.ndarray: ``(..., 3)`` metres from the top of the spine, in the
            axes of the chest.
        """
        place = np.asarray(place, dtype=float) * self.arm
        outward = [OUTWARD[side], 1, 1]
        return place * outward + self.shoulder_offset(side)


@dataclass
class Posture:
    """What a body does in each of ``T`` frames.

    Angles are in degrees, in the order forward pitch, yaw to the left, roll to
    the right. Index 0 of an axis of sides is left, 1 is right.

    Args:
        pelvis (np.ndarray): ``(T, 3)`` position of the base of the spine.
        hips (np.ndarray): ``(T, 3)`` angles of the pelvis.
        trunk (np.ndarray): ``(T, 3)`` angles of the chest on the pelvis.
        head (np.ndarray): ``(T, 3)`` angles of the head on the chest.
        wrists (np.ndarray): ``(T, 2, 3)`` position wanted for each wrist, seen
            from the top of the spine in the axes of the chest. One out of
            reach is approached as far as the arm goes.
        elbows (np.ndarray): ``(T, 2, 3)`` direction in which each elbow points,
            in the axes of the chest.
        ankles (np.ndarray): ``(T, 2, 3)`` position wanted for each ankle.
        feet (np.ndarray): ``(T, 2, 2)`` angles of each foot: toes down, and
            toes turned to the left.
    """

    pelvis: np.ndarray
    hips: np.ndarray
    trunk: np.ndarray
    head: np.ndarray
    wrists: np.ndarray
    elbows: np.ndarray
    ankles: np.ndarray
    feet: np.ndarray

    @classmethod
    def standing(cls, body: Body, num_frames: int, stance: float = 1.0) -> Posture:
        """Stand at ease with hanging arms.

        Args:
            body (Body): Who stands.
            num_frames (int): ``T``.
            stance (float): Distance of the feet, relative to the hips'.
        """

        def held(value):
            value = np.asarray(value, dtype=float)
            return np.tile(value, (num_frames, *[1] * value.ndim))

        sides = (LEFT, RIGHT)
        hang = (0.16, -0.94, 0.10)
        return cls(
            pelvis=held([0, body.pelvis_height, 0]),
            hips=held([0, 0, 0]),
            trunk=held([2, 0, 0]),
            head=held([4, 0, 0]),
            wrists=held([body.reach(side, hang) for side in sides]),
            elbows=held([[0.5 * OUTWARD[side], -0.2, -1] for side in sides]),
            ankles=held(
                [[OUTWARD[side] * stance * body.hip, body.ankle, 0] for side in sides]
            ),
            feet=held([[0, 12 * OUTWARD[side]] for side in sides]),
        )


def blend(start: Posture, end: Posture, share: np.ndarray) -> Posture:
    """Pass from one posture to another.

    Args:
        start (Posture): Where ``share`` is 0.
        end (Posture): Where it is 1.
        share (np.ndarray): ``(T,)``.

    Returns:
        Posture: ``T`` frames.
    """

    def mixed(name):
        first, second = getattr(start, name), getattr(end, name)
        weight = share.reshape(-1, *[1] * (first.ndim - 1))
        return first + weight * (second - first)

    return Posture(**{field.name: mixed(field.name) for field in fields(start)})


def two_bone_limb(
    root: np.ndarray, target: np.ndarray, upper: float, lower: float, pole: np.ndarray
):
    """Bend a limb of two bones so that its end meets a target.

    Args:
        root (np.ndarray): ``(T, 3)`` shoulder or hip.
        target (np.ndarray): ``(T, 3)`` position wanted for its end.
        upper (float): Length of the first bone.
        lower (float): Length of the second bone.
        pole (np.ndarray): ``(T, 3)`` direction to which the middle joint bends;
            must not be parallel to the limb.

    Returns:
        tuple[np.ndarray]: Middle joint, end, and the normal of the plane in
        which the limb bends, each ``(T, 3)``.
    """
    nearest = np.sqrt(upper**2 + lower**2 - 2 * upper * lower * np.cos(_SMALLEST_BEND))
    along = target - root
    wanted = np.linalg.norm(along, axis=-1, keepdims=True)
    along = along / np.maximum(wanted, 1e-6)
    distance = np.clip(wanted, nearest, _STRETCH * (upper + lower))

    aside = pole - (pole * along).sum(-1, keepdims=True) * along
    aside = aside / np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-6)
    foot_point = (upper**2 - lower**2 + distance**2) / (2 * distance)
    height = np.sqrt(np.maximum(upper**2 - foot_point**2, 0))
    middle = root + foot_point * along + height * aside
    return middle, root + distance * along, np.cross(aside, along)


def pose_joints(body: Body, posture: Posture) -> np.ndarray:
    """Compute all joints of a body in a sequence of postures.

    Args:
        body (Body): Whose joints.
        posture (Posture): What it does, ``T`` frames.

    Returns:
        np.ndarray: ``(T, 25, 3)`` metres, in the order of NTU RGB+D. All bones
        keep their lengths.
    """
    num_frames = len(posture.pelvis)
    joints = np.empty((num_frames, 25, 3))
    pelvis = _rotation(posture.hips)
    lumbar = pelvis @ _rotation(posture.trunk / 2)
    chest = pelvis @ _rotation(posture.trunk)
    skull = chest @ _rotation(posture.head)

    joints[:, 0] = posture.pelvis
    joints[:, 1] = joints[:, 0] + lumbar @ [0, body.lower_spine, 0]
    joints[:, 20] = joints[:, 1] + chest @ [0, body.upper_spine, 0]
    joints[:, 2] = joints[:, 20] + chest @ [0, body.neck, 0.1 * body.neck]
    joints[:, 3] = joints[:, 2] + skull @ [0, body.head, 0.15 * body.head]

    for side in (LEFT, RIGHT):
        shoulder, elbow, wrist, hand, tip, thumb = _ARM_JOINTS[side]
        wanted = posture.wrists[:, side]
        # A raised arm takes its shoulder along.
        lift = np.clip(wanted[:, 1] / body.arm, 0, 1) * 22
        clavicle = _rotation(
            np.stack([0 * lift, 0 * lift, OUTWARD[side] * lift], axis=-1)
        )
        joints[:, shoulder] = joints[:, 20] + (
            chest @ clavicle @ body.shoulder_offset(side)
        )
        joints[:, elbow], joints[:, wrist], normal = two_bone_limb(
            joints[:, shoulder],
            joints[:, 20] + _turn(chest, wanted),
            body.upper_arm,
            body.forearm,
            _turn(chest, posture.elbows[:, side]),
        )
        forearm = (joints[:, wrist] - joints[:, elbow]) / body.forearm
        joints[:, hand] = joints[:, wrist] + body.hand * forearm
        joints[:, tip] = joints[:, hand] + body.hand * forearm
        # The thumb lies in the plane of the elbow, on its inner side.
        joints[:, thumb] = joints[:, wrist] + body.hand * (
            0.8 * forearm + 0.6 * np.cross(normal, forearm)
        )

        hip, knee, ankle, foot = _LEG_JOINTS[side]
        pitch, yaw = posture.feet[:, side].T
        joints[:, hip] = joints[:, 0] + pelvis @ [
            OUTWARD[side] * body.hip,
            -0.2 * body.hip,
            0,
        ]
        # Forward for a leg below the body, up for one held out in front.
        bend = pelvis @ _rotation(np.stack([0 * yaw, yaw, 0 * yaw], -1))
        joints[:, knee], joints[:, ankle], _ = two_bone_limb(
            joints[:, hip],
            posture.ankles[:, side],
            body.thigh,
            body.shank,
            bend @ [0, 0.4, 1.0],
        )
        toes = _rotation(np.stack([pitch, yaw, 0 * yaw], axis=-1))
        joints[:, foot] = joints[:, ankle] + toes @ [0, -0.7 * body.ankle, body.foot]
    return joints


def mirror_body(joints: np.ndarray) -> np.ndarray:
    """Swap left and right of a body in its own axes, ``(..., 25, 3)``."""
    return joints[..., MIRROR, :] * [-1, 1, 1]


def _rotation(angles: np.ndarray) -> np.ndarray:
    """Matrices ``(T, 3, 3)`` of pitch, yaw and roll ``(T, 3)``, degrees."""
    return Rotation.from_euler('YXZ', angles[:, [1, 0, 2]], degrees=True).as_matrix()


def _turn(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum('tij,tj->ti', matrices, vectors)
