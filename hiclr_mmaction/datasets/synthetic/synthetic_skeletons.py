"""Synthetic labelled motions of persons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache

import numpy as np
from mmaction.datasets import BaseActionDataset
from mmaction.registry import DATASETS
from scipy.spatial.transform import Rotation

from .articulated_body import blend, mirror_body, pose_joints
from .choreography import ACTIONS, Action, Actor, idle
from .improvisation import PREFIX, improvise, improvised_names

FRAME_RATE = 30
SPLITS = ('train', 'val')

# How much worse than the average a sensor sees each joint: hands and feet most.
_DIFFICULTY = np.ones(25)
_DIFFICULTY[[0, 1, 2, 4, 8, 12, 16, 20]] = 0.5
_DIFFICULTY[[7, 11, 15, 19, 21, 22, 23, 24]] = 1.8


@DATASETS.register_module()
class SyntheticSkeletons(BaseActionDataset):
    """Clips of moving persons, made when the data set is built.

    Subjects differ in proportions, handedness, size and speed of motion. Clips
    differ in viewpoint, length, phase, posture of idle limbs, noise and joints
    that the sensor loses. The last ``num_val_subjects`` subjects are the
    validation split, all others the training split.

    A clip depends only on ``seed``, its action, its subject and its repetition.

    Each item has ``keypoint``, float32 ``(M, T, 25, 3)`` with ``M`` of 1 or 2
    (actions between two), metres in Kinect's camera space (``x`` to the
    camera's left, ``y`` up, ``z`` away from it; joints as in NTU RGB+D);
    ``label``; ``total_frames``, ``T``, at 30 frames per second; ``frame_dir``,
    a name such as ``'wave-s03-r01'``; ``subject``.

    Args:
        pipeline (list[dict | Callable]): Data transforms.
        split (str): ``'train'`` or ``'val'``. Defaults to ``'train'``.
        num_subjects (int): Number of persons in both splits. Every third is
            left-handed. Defaults to 15.
        clips_per_action (int): Times that each subject does each action.
            Defaults to 6.
        num_val_subjects (int): How many of them are in ``'val'``. Defaults
            to 5.
        actions (list[str], optional): The actions; a label is an index into
            these. Defaults to None, which means all.
        improvised (int): Number of improvised actions after these: random paths of
            hands, trunk and legs, the same for all subjects. Defaults to 0.
        seed (int): Seed of the draws; not negative. Defaults to 0.
        noise (float): Standard deviation of the sensor's noise in metres, of
            an average joint. Defaults to 0.015.
        lost_joints (float): Probability that the sensor loses an average joint
            for a part of a clip. Defaults to 0.15.
        test_mode (bool): As in MMAction2. Defaults to False.

    Raises:
        ValueError: If a setting is out of its range.
    """

    METAINFO = dict(classes=tuple(ACTIONS))

    def __init__(
        self,
        pipeline: list[dict | Callable],
        split: str = 'train',
        num_subjects: int = 15,
        clips_per_action: int = 6,
        num_val_subjects: int = 5,
        actions: Sequence[str] | None = None,
        seed: int = 0,
        noise: float = 0.015,
        lost_joints: float = 0.15,
        improvised: int = 0,
        test_mode: bool = False,
        **kwargs,
    ) -> None:
        actions = tuple(ACTIONS if actions is None else actions)
        if split not in SPLITS:
            raise ValueError(
                f'split={split!r} is unknown; use one of {", ".join(SPLITS)}.'
            )
        unknown = [name for name in actions if name not in ACTIONS]
        if unknown:
            raise ValueError(
                f'actions={unknown} are unknown; known are {", ".join(ACTIONS)}.'
            )
        if not actions or len(set(actions)) < len(actions):
            raise ValueError(
                f'actions={list(actions)} names none or one '
                'twice; name each action once.'
            )
        for setting, value, low in [
            ('num_subjects', num_subjects, 1),
            ('clips_per_action', clips_per_action, 1),
            ('num_val_subjects', num_val_subjects, 1),
            ('seed', seed, 0),
            ('improvised', improvised, 0),
        ]:
            if not isinstance(value, int) or value < low:
                raise ValueError(
                    f'{setting}={value!r} is not an integer of {low} or more.'
                )
        if num_val_subjects >= num_subjects:
            raise ValueError(
                f'num_val_subjects={num_val_subjects} leaves nobody of '
                f'num_subjects={num_subjects} to train on; use fewer.'
            )
        if not noise >= 0:
            raise ValueError(f'noise={noise} is below 0; write metres, 0 for none.')
        if not 0 <= lost_joints <= 1:
            raise ValueError(
                f'lost_joints={lost_joints} is not a probability; use 0 (none) to 1.'
            )
        self.split = split
        self.num_subjects = num_subjects
        self.clips_per_action = clips_per_action
        self.num_val_subjects = num_val_subjects
        self.actions = actions = (*actions, *improvised_names(improvised))
        self.seed = seed
        self.noise = noise
        self.lost_joints = lost_joints
        kwargs.setdefault('ann_file', '')
        kwargs['metainfo'] = dict(kwargs.get('metainfo') or {}, classes=actions)
        super().__init__(
            pipeline=pipeline, test_mode=test_mode, modality='Pose', **kwargs
        )

    def load_data_list(self) -> list[dict]:
        """Make the clips of this split.

        Returns:
            list[dict]: One dict for each clip, as described above.
        """
        num_train = self.num_subjects - self.num_val_subjects
        subjects = dict(train=range(num_train), val=range(num_train, self.num_subjects))
        data_list = []
        for label, action in enumerate(self.actions):
            for subject in subjects[self.split]:
                for repetition in range(self.clips_per_action):
                    keypoint = kept_clip(
                        action,
                        subject,
                        repetition,
                        self.seed,
                        self.noise,
                        self.lost_joints,
                    ).copy()
                    data_list.append(
                        dict(
                            frame_dir=f'{action}-s{subject:02d}-r{repetition:02d}',
                            label=label,
                            subject=subject,
                            total_frames=keypoint.shape[1],
                            keypoint=keypoint,
                        )
                    )
        return data_list


def pose_annotations(**settings) -> dict:
    """Both splits in the form of MMAction2's pose pickles.

    Args:
        settings: Those of :class:`SyntheticSkeletons`, without ``pipeline``
            and ``split``.

    Returns:
        dict: ``split``, the names (``frame_dir``) in each split, ``classes``, the
        names of the labels, and ``annotations``, a dict for each clip. Dumped to a
        ``.pkl`` it serves ``PoseDataset`` as ``ann_file``.
    """
    datasets = {
        split: SyntheticSkeletons([], split, lazy_init=True, **settings)
        for split in SPLITS
    }
    clips = {split: dataset.load_data_list() for split, dataset in datasets.items()}
    return dict(
        classes=list(datasets['train'].actions),
        split={
            split: [clip['frame_dir'] for clip in those]
            for split, those in clips.items()
        },
        annotations=[clip for those in clips.values() for clip in those],
    )


def make_clip(
    action: str,
    subject: int,
    repetition: int,
    seed: int = 0,
    noise: float = 0.015,
    lost_joints: float = 0.15,
) -> np.ndarray:
    """Make one clip as the sensor sees it.

    Args:
        action (str): A key of ``ACTIONS``, or an improvised one.
        subject (int): Number of the (first) actor.
        repetition (int): Number of the clip among those of this subject.
        seed (int): Seed of the draws.
        noise (float): Standard deviation in metres.
        lost_joints (float): Probability of losing an average joint.

    Returns:
        np.ndarray: ``(M, T, 25, 3)``, float32, metres in camera space.
    """
    entropy = [seed, 1, _number(action), subject, repetition]
    rng = np.random.default_rng(entropy)
    joints = perform(action, subject, seed, rng)
    # Two are seen from the side, or one would hide the other.
    facing = 0 if len(joints) == 1 else rng.choice([-90, 90])
    joints = place_before_camera(
        joints,
        yaw=facing + rng.uniform(-50, 50),
        pitch=rng.uniform(-3, 14),
        position=[
            rng.uniform(-0.4, 0.4),
            -rng.uniform(0.8, 1.4),
            rng.uniform(2.6, 4.0),
        ],
    )
    return sense(joints, noise, lost_joints, rng).astype(np.float32)


# The bank of the k-NN holds the clips of the training set once more.
kept_clip = lru_cache(maxsize=1024)(make_clip)


def perform(
    action: str, subject: int, seed: int, rng: np.random.Generator
) -> np.ndarray:
    """Let a subject perform an action, on a floor at ``y = 0``.

    An action between two is done with a partner drawn from persons who are in
    no split.

    Args:
        action (str): A key of ``ACTIONS``, or an improvised one.
        subject (int): Number of the actor.
        seed (int): Seed of the persons.
        rng (np.random.Generator): Source of all that differs between clips.

    Returns:
        np.ndarray: ``(M, T, 25, 3)`` metres, ``x`` to the left, ``y`` up and
        ``z`` forward of the actor. Two persons face each other along ``z``.
    """
    doing = _action(action, seed)
    actors = [_make_actor(seed, subject)]
    if doing.num_persons == 2:
        # A partner out of the other split would leak into this one.
        actors.append(_make_actor(seed, subject, partner=int(rng.integers(1000))))
        if rng.random() < 0.5:
            actors.reverse()
    num_frames = int(rng.integers(45, 91))
    seconds = np.arange(num_frames) / FRAME_RATE
    actors = [_vary(actor, rng) for actor in actors]
    share = _activity(num_frames, rng) if doing.pausing else np.ones(num_frames)
    # The middle of the motion is seen, wherever the clip and the action begin.
    middle = rng.choice(seconds[share > 0.99])
    phase = 0.5 + doing.rate * actors[0].tempo * (seconds - middle)
    resting = [actor.rest(num_frames, rng) for actor in actors]
    acting = deepcopy(resting)
    distance = 0.0
    if doing.num_persons == 1:
        doing.motion(actors[0], acting[0], phase)
    else:
        distance = doing.motion(tuple(actors), tuple(acting), phase)

    persons = []
    for actor, rest, act in zip(actors, resting, acting, strict=True):
        posture = blend(rest, act, share)
        idle(posture, seconds, rng)
        joints = pose_joints(actor.body, posture)
        if actor.left_handed and not doing.right_handed:
            joints = mirror_body(joints)
        persons.append(joints)
    if len(persons) == 2:
        persons[1] = persons[1] * [-1, 1, -1]
        for joints, way in zip(persons, (-0.5, 0.5), strict=True):
            joints[..., 2] += way * distance
    return np.stack(persons)


def place_before_camera(
    joints: np.ndarray, yaw: float, pitch: float, position: Sequence[float]
) -> np.ndarray:
    """Change from the actor's axes to those of a camera.

    Args:
        joints (np.ndarray): ``(..., 3)``, ``x`` to the left, ``y`` up, ``z``
            forward of the actor.
        yaw (float): Degrees by which the actor is turned away to the left; at
            0 the actor faces the camera.
        pitch (float): Degrees by which the camera looks down.
        position (Sequence[float]): Where the point on the floor under the
            actor is to the left of, above and ahead of the camera, metres.

    Returns:
        np.ndarray: ``(..., 3)``, ``x`` to the left of the camera, ``y`` up and
        ``z`` ahead of it.
    """
    turned = (
        joints @ Rotation.from_euler('y', 180 + yaw, degrees=True).as_matrix().T
        + position
    )
    return turned @ Rotation.from_euler('x', -pitch, degrees=True).as_matrix().T


def sense(
    joints: np.ndarray, noise: float, lost_joints: float, rng: np.random.Generator
) -> np.ndarray:
    """Spoil joints as a depth sensor's tracker does.

    Every joint trembles. Some are lost for a while: they get stuck, or jump to
    somewhere else.

    Args:
        joints (np.ndarray): ``(M, T, V, 3)`` metres.
        noise (float): Standard deviation for an average joint, metres.
        lost_joints (float): Probability that an average joint is lost once.
        rng (np.random.Generator): Source of the draws.

    Returns:
        np.ndarray: ``(M, T, V, 3)``.
    """
    num_persons, num_frames, num_joints, _ = joints.shape
    tremble = rng.normal(0, noise, joints.shape) * _DIFFICULTY[:, None]
    seen = joints + tremble
    lost = rng.random((num_persons, num_joints)) < lost_joints * _DIFFICULTY
    for person, joint in np.argwhere(lost):
        length = rng.integers(5, 5 + num_frames // 3)
        start = rng.integers(num_frames - length)
        there = slice(start, start + length)
        if rng.random() < 0.5:
            seen[person, there, joint] = seen[person, start, joint]
        else:
            seen[person, there, joint] += rng.normal(0, 0.12 * _DIFFICULTY[joint], 3)
    return seen


def _number(action: str) -> int:
    if action in ACTIONS:
        return list(ACTIONS).index(action)
    return 1000 + int(action.removeprefix(PREFIX))


def _action(name: str, seed: int) -> Action:
    return ACTIONS[name] if name in ACTIONS else improvise(_number(name) - 1000, seed)


def _vary(actor: Actor, rng: np.random.Generator) -> Actor:
    """The same actor on another occasion."""
    # Now and then persons use their other hand.
    other_hand = rng.random() < 0.15
    return replace(
        actor,
        left_handed=actor.left_handed != other_hand,
        amplitude=actor.amplitude * rng.uniform(0.8, 1.15),
        tempo=actor.tempo * rng.uniform(0.8, 1.2),
        stance=actor.stance * rng.uniform(0.8, 1.2),
        height=rng.uniform(-1, 1),
        lively_arms=rng.random() < 0.6,
    )


def _activity(num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """How much of the action, 0 to 1, there is in each frame, ``(T,)``."""
    length = rng.uniform(0.5, 1.1) * num_frames
    start = rng.uniform(min(num_frames - length, 0), max(num_frames - length, 0))
    frames = np.arange(num_frames)
    ramp = 8  # frames, about a quarter of a second
    inside = np.minimum(frames - start, start + length - frames) / ramp
    inside = np.clip(inside, 0, 1)
    return inside**2 * (3 - 2 * inside)


def _make_actor(seed: int, subject: int, partner: int = -1) -> Actor:
    rng = np.random.default_rng([seed, 2, subject, partner + 1])
    return Actor.sample(rng, left_handed=subject % 3 == 2)
