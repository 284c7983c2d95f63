"""Actions that an articulated body can do.

Every action takes an actor, the posture of rest, which it changes in place, and
the phase of its motion, ``(T,)`` in cycles: the motion repeats at each whole
number, and what distinguishes the action is at 0.5. Single-sided actions are written for
the right hand; who uses the left is mirrored afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from .articulated_body import LEFT, OUTWARD, RIGHT, Body, Posture

SIDES = (LEFT, RIGHT)

# Where a hand rests, from its shoulder: outward, up, forward, in arm lengths.
_RESTS = dict(
    hanging=(0.16, -0.94, 0.10),
    hip=(0.08, -0.66, 0.02),
    belly=(-0.45, -0.55, 0.45),
    holding=(0.05, -0.45, 0.72),
)
_REST_SHARES = (0.55, 0.15, 0.15, 0.15)


@dataclass(frozen=True)
class Actor:
    """A person and the way he or she moves.

    Args:
        body (Body): Proportions.
        left_handed (bool): Whether single-sided actions are done with the left.
        amplitude (float): Size of the motions, 1 for the usual.
        tempo (float): Speed of the motions, 1 for the usual.
        stance (float): Distance of the feet, relative to the hips'.
        stoop (float): Forward pitch of the trunk at rest, in degrees.
        height (float): Where gestures are made, from -1, low, to 1, high.
        lively_arms (bool): Whether the arms join in what the legs do.
    """

    body: Body
    left_handed: bool
    amplitude: float
    tempo: float
    stance: float
    stoop: float
    height: float = 0.0
    lively_arms: bool = True

    @classmethod
    def sample(cls, rng: np.random.Generator, left_handed: bool) -> Actor:
        """Draw a person and a style.

        Args:
            rng (np.random.Generator): Source of the draws.
            left_handed (bool): As above.
        """
        return cls(
            body=Body.sample(rng),
            left_handed=left_handed,
            amplitude=rng.uniform(0.75, 1.15),
            tempo=rng.uniform(0.75, 1.3),
            stance=rng.uniform(0.9, 2.2),
            stoop=rng.uniform(-2, 10),
        )

    def rest(self, num_frames: int, rng: np.random.Generator) -> Posture:
        """Stand in this actor's way; each hand hangs or has its own place.

        Args:
            num_frames (int): ``T``.
            rng (np.random.Generator): Source of the draws.
        """
        posture = Posture.standing(self.body, num_frames, self.stance)
        posture.trunk[:, 0] += self.stoop
        posture.head[:, 0] -= 0.6 * self.stoop
        for side in SIDES:
            place = rng.choice(list(_RESTS), p=_REST_SHARES)
            posture.wrists[:, side] = self.body.reach(side, _RESTS[place])
            if place != 'hanging':
                posture.elbows[:, side] = [OUTWARD[side], -0.3, -0.6]
        return posture


def through(phase: np.ndarray, *knots) -> np.ndarray:
    """Move smoothly and periodically through given values.

    Args:
        phase (np.ndarray): ``(T,)`` in cycles.
        knots (tuple): Pairs of a phase in ``[0, 1)``, increasing, and the value
            there, a number or a vector.

    Returns:
        np.ndarray: ``(T,)`` or ``(T, D)``.
    """
    times = np.array([time for time, _ in knots])
    values = np.array([value for _, value in knots], dtype=float)
    curve = PchipInterpolator(
        np.concatenate([times - 1, times, times + 1]),
        np.tile(values, (3, *[1] * (values.ndim - 1))),
    )
    return curve(phase % 1)


def oscillate(phase: np.ndarray) -> np.ndarray:
    """A sine of the phase, between -1 and 1."""
    return np.sin(2 * np.pi * phase)


def wave(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Hold one hand up and swing the forearm sideways."""
    swing = 0.32 * actor.amplitude * oscillate(phase)
    up = 0.42 + 0.28 * actor.height - 0.4 * swing**2
    ahead = np.full_like(swing, 0.3 - 0.15 * actor.height)
    place = np.stack([0.36 + swing, up, ahead], axis=-1)
    posture.wrists[:, RIGHT] = actor.body.reach(RIGHT, place)
    posture.elbows[:, RIGHT] = [-0.6, -1, 0]


def clap(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Bring both hands together in front of the chest."""
    body = actor.body
    gap = body.hand + 0.22 * actor.amplitude * body.arm * (
        1 + np.cos(2 * np.pi * phase)
    )
    for side in SIDES:
        posture.wrists[:, side] = np.stack(
            [
                OUTWARD[side] * gap,
                0 * gap + (0.3 * actor.height - 0.25) * body.arm,
                0 * gap + 0.58 * body.arm,
            ],
            -1,
        )
        posture.elbows[:, side] = [0.7 * OUTWARD[side], -1, -0.3]


def drink(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Lift one hand from the belly to the mouth, tilt the head, lower it."""
    body = actor.body
    mouth = [-0.9 * body.hand, -0.1 * body.hand, 0.40 * body.arm]
    belly = [
        -0.6 * body.shoulder,
        (0.2 * actor.height - 0.6) * body.arm,
        0.5 * body.arm,
    ]
    low = np.array(mouth) + (np.array(belly) - mouth) * actor.amplitude
    posture.wrists[:, RIGHT] = through(
        phase, (0, low), (0.1, low), (0.4, mouth), (0.75, mouth), (0.95, low)
    )
    posture.elbows[:, RIGHT] = through(
        phase, (0, [-0.6, -1, 0]), (0.4, [-0.8, -0.7, 0.5]), (0.75, [-0.8, -0.7, 0.5])
    )
    posture.head[:, 0] += through(
        phase, (0, 6), (0.35, 0), (0.5, -18), (0.68, -18), (0.85, 0)
    )


def punch(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Strike straight ahead with one fist out of a boxer's guard."""
    body = actor.body
    guard = [-0.1, -0.12, 0.42]
    strike = [-0.2, -0.1 + 0.25 * actor.height, 0.4 + 0.55 * min(actor.amplitude, 1)]
    posture.wrists[:, RIGHT] = body.reach(
        RIGHT,
        through(
            phase,
            (0, guard),
            (0.35, guard),
            (0.52, strike),
            (0.6, strike),
            (0.85, guard),
        ),
    )
    posture.wrists[:, LEFT] = body.reach(LEFT, [-0.1, -0.15, 0.45])
    for side in SIDES:
        posture.elbows[:, side] = [0.6 * OUTWARD[side], -1, 0]
    posture.trunk[:, 1] += actor.amplitude * through(
        phase, (0, -14), (0.35, -18), (0.55, 26), (0.85, -14)
    )
    _step(posture, LEFT, 0.30 * body.leg)


def throw(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Draw one arm back behind the head and fling it forward and down."""
    size = actor.amplitude
    posture.wrists[:, RIGHT] = actor.body.reach(
        RIGHT,
        through(
            phase,
            (0, [0.1, -0.5, 0.45]),
            (0.2, [0.35, -0.2, 0.2]),
            (0.38, [0.45, 0.3 + 0.3 * actor.height, -0.3 * size]),
            (0.48, [0.3, 0.55 + 0.3 * actor.height, 0.3]),
            (0.56, [-0.05, 0.2, 0.9]),
            (0.68, [-0.35, -0.6, 0.5]),
            (0.85, [-0.1, -0.65, 0.4]),
        ),
    )
    posture.elbows[:, RIGHT] = through(
        phase, (0, [-0.6, -1, -0.4]), (0.4, [-1, -0.3, 0.2]), (0.7, [-1, -0.3, -0.3])
    )
    posture.wrists[:, LEFT] = actor.body.reach(
        LEFT,
        through(
            phase,
            (0, [0.1, -0.6, 0.4]),
            (0.38, [0.15, -0.15, 0.75]),
            (0.6, [0.3, -0.75, 0.1]),
        ),
    )
    posture.trunk[:, 1] += size * through(
        phase, (0, 0), (0.38, -32), (0.58, 28), (0.8, 14)
    )
    posture.trunk[:, 0] += size * through(
        phase, (0, 2), (0.38, -10), (0.6, 18), (0.8, 8)
    )
    _step(posture, LEFT, 0.4 * actor.body.leg)


def kick(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Swing one foot back and kick it forward."""
    body, size = actor.body, actor.amplitude
    size = min(size, 1.1)
    high = [0.45 + 0.25 * actor.height, 0.9 * size]
    path = through(
        phase,
        (0, [0, 0]),
        (0.12, [0, 0]),
        (0.34, [0.28, -0.5 * size]),
        (0.52, high),
        (0.6, high),
        (0.72, [0.25, 0.45]),
        (0.92, [0, 0]),
    )
    posture.ankles[:, RIGHT, 1:] += path * body.leg
    posture.feet[:, RIGHT, 0] = through(
        phase, (0, 0), (0.3, 45), (0.52, -25), (0.7, 10), (0.92, 0)
    )
    # The weight goes over the other foot.
    standing = body.hip * actor.stance
    posture.pelvis[:, 0] += standing * through(
        phase, (0, 0), (0.25, 0.7), (0.7, 0.7), (0.95, 0)
    )
    posture.hips[:, 0] += size * through(
        phase, (0, 0), (0.34, 10), (0.55, -16), (0.95, 0)
    )
    for side, way in ((LEFT, 1), (RIGHT, -1)) if actor.lively_arms else ():
        posture.wrists[:, side] = _hang(
            body, side, 0.1 + 0.6 * way * path[:, 1], outward=0.35
        )


def squat(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Sit down on the heels' height and get up, arms forward for balance."""
    body = actor.body
    depth = actor.amplitude * through(
        phase, (0, 0), (0.12, 0), (0.45, 1), (0.62, 1), (0.92, 0)
    )
    posture.pelvis[:, 1] -= 0.46 * depth * body.leg
    posture.pelvis[:, 2] -= 0.24 * depth * body.leg
    posture.hips[:, 0] += 22 * depth
    posture.trunk[:, 0] += 16 * depth
    posture.head[:, 0] -= 22 * depth
    for side in SIDES if actor.lively_arms else ():
        hang, front = [0.16, -0.94, 0.1], [0.02, 0.5, 0.8]
        posture.wrists[:, side] = body.reach(
            side, _blend(hang, [0.1, -0.5, 0.75], front, depth)
        )
        posture.elbows[:, side] = [0.7 * OUTWARD[side], -0.6, -0.6]
    _turn_out(posture, 12)


def jump(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Crouch, jump up with swinging arms, land."""
    body, size = actor.body, actor.amplitude
    crouch = size * through(
        phase, (0, 0), (0.08, 0), (0.28, 1), (0.4, 0), (0.62, 0), (0.72, 0.7), (0.92, 0)
    )
    flight = size * np.clip(1 - ((phase % 1 - 0.52) / 0.12) ** 2, 0, None)
    posture.pelvis[:, 1] += (0.30 * flight - 0.22 * crouch) * body.leg
    posture.pelvis[:, 2] -= 0.10 * crouch * body.leg
    posture.hips[:, 0] += 16 * crouch
    posture.trunk[:, 0] += 18 * crouch
    posture.head[:, 0] -= 16 * crouch
    posture.ankles[:, :, 1] += (0.34 * flight * body.leg)[:, None]
    posture.feet[:, :, 0] = (45 * np.minimum(flight, 1))[:, None]
    back, up = [0.3, -0.8, -0.45], [0.2, 0.5 + 0.4 * size, 0.3]
    for side in SIDES if actor.lively_arms else ():
        posture.wrists[:, side] = body.reach(
            side,
            through(
                phase,
                (0, [0.2, -0.9, 0.1]),
                (0.26, back),
                (0.4, [0.3, -0.3, 0.75]),
                (0.52, up),
                (0.72, [0.3, -0.6, 0.5]),
                (0.92, [0.2, -0.9, 0.1]),
            ),
        )
        posture.elbows[:, side] = [OUTWARD[side], -0.3, -0.8]


def bow(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Bend the upper body forward, hands on the thighs."""
    depth = actor.amplitude * through(
        phase, (0, 0), (0.12, 0), (0.42, 1), (0.65, 1), (0.92, 0)
    )
    posture.hips[:, 0] += 30 * depth
    posture.trunk[:, 0] += 34 * depth
    posture.head[:, 0] += 12 * depth
    posture.pelvis[:, 2] -= 0.10 * depth * actor.body.leg
    # The hands slide down the thighs: the arms nearly keep hanging.
    swing = np.radians(6 + 48 * depth)
    for side in SIDES if actor.lively_arms else ():
        posture.wrists[:, side] = _hang(
            actor.body, side, swing, outward=0.16 - 0.12 * depth
        )


def walk(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
    """Walk forward; the foot on the floor stays where it is."""
    body = actor.body
    stride = 0.62 * actor.amplitude * body.leg  # the way of one foot, at rest
    for side, start in ((LEFT, 0.0), (RIGHT, 0.5)):
        step = phase + start
        # On the floor the foot falls back at the speed of the body.
        posture.ankles[:, side, 2] += stride * through(
            step,
            (0, 0.5),
            (0.2, 0.167),
            (0.4, -0.167),
            (0.6, -0.5),
            (0.7, -0.36),
            (0.9, 0.42),
        )
        posture.ankles[:, side, 1] += body.leg * through(
            step, (0, 0), (0.5, 0), (0.6, 0.06), (0.72, 0.17), (0.88, 0.05)
        )
        posture.feet[:, side, 0] = through(
            step, (0, -12), (0.1, 0), (0.5, 5), (0.65, 38), (0.85, 0)
        )
        posture.ankles[:, side, 0] *= 0.8 / actor.stance
        if not actor.lively_arms:
            continue
        swing = -actor.amplitude * np.cos(2 * np.pi * step)
        posture.wrists[:, side] = _hang(body, side, 0.12 + 0.4 * swing)
    posture.hips[:, 1] -= 6 * np.cos(2 * np.pi * phase)
    posture.trunk[:, 1] += 12 * np.cos(2 * np.pi * phase)
    posture.pelvis[:, 1] -= body.leg * (0.045 + 0.02 * np.cos(4 * np.pi * phase))
    way = stride / 0.6 * (phase - phase.mean())
    posture.pelvis[:, 2] += way
    posture.ankles[:, :, 2] += way[:, None]


def handshake(actors: tuple, postures: tuple, phase: np.ndarray) -> float:
    """Two persons reach out, shake right hands and let go.

    Returns:
        float: Their distance in metres.
    """
    height = np.mean([a.body.chest_height - 0.5 * a.body.arm for a in actors])
    distance = sum(0.62 * a.body.arm + a.body.hand for a in actors)
    shake = (
        0.05
        * actors[0].amplitude
        * np.sin(2 * np.pi * 9 * (phase % 1))
        * through(phase, (0, 0), (0.3, 0), (0.4, 1), (0.7, 1), (0.8, 0))
    )
    for actor, posture in zip(actors, postures, strict=True):
        body = actor.body
        hang = body.reach(RIGHT, [0.16, -0.94, 0.1])
        middle = _wrist_at(
            posture, body, [-0.02, height, distance / 2 - 0.9 * body.hand]
        )
        posture.wrists[:, RIGHT] = through(
            phase, (0, hang), (0.1, hang), (0.32, middle), (0.78, middle), (0.97, hang)
        )
        posture.wrists[:, RIGHT, 1] += shake
        posture.elbows[:, RIGHT] = [-0.5, -1, -0.4]
    return distance


def push(actors: tuple, postures: tuple, phase: np.ndarray) -> float:
    """The first pushes with both hands, the second staggers back.

    Returns:
        float: Their distance in metres.
    """
    (pusher, pushed), (first, second) = actors, postures
    distance = 1.1 * pusher.body.arm + 0.3
    thrust = through(phase, (0, 0), (0.25, 0), (0.42, 1), (0.55, 1), (0.85, 0))
    first.hips[:, 0] += 10 * pusher.amplitude * thrust
    first.trunk[:, 0] += 8 * pusher.amplitude * thrust
    first.pelvis[:, 2] += 0.10 * thrust * pusher.body.leg
    _step(first, LEFT, 0.35 * pusher.body.leg)
    for side in SIDES:
        first.wrists[:, side] = pusher.body.reach(
            side,
            through(
                phase,
                (0, [0.1, -0.75, 0.35]),
                (0.25, [0.05, -0.3, 0.35]),
                (0.42, [-0.1, -0.08, 0.95]),
                (0.55, [-0.1, -0.1, 0.9]),
                (0.85, [0.1, -0.75, 0.35]),
            ),
        )
        first.elbows[:, side] = [0.8 * OUTWARD[side], -1, -0.2]

    fall = pushed.amplitude * through(
        phase, (0, 0), (0.38, 0), (0.55, 1), (0.72, 0.6), (0.95, 0)
    )
    back = pushed.body.leg * fall
    second.pelvis[:, 2] -= 0.42 * back
    second.pelvis[:, 1] -= 0.06 * back
    second.hips[:, 0] -= 12 * fall
    second.trunk[:, 0] -= 14 * fall
    second.head[:, 0] += 22 * fall
    lifted = through(
        phase, (0, 0), (0.4, 0), (0.48, 1), (0.56, 0), (0.74, 0), (0.85, 0.7), (0.95, 0)
    )
    for side, share in ((LEFT, 0.25), (RIGHT, 0.75)):
        second.ankles[:, side, 2] -= share * back
        second.ankles[:, side, 1] += (0.06 + 0.1 * share) * (lifted * pushed.body.leg)
        second.wrists[:, side] = pushed.body.reach(
            side,
            _blend(
                [0.16, -0.94, 0.1],
                [0.35, -0.6, 0.4],
                [0.65, -0.05, 0.55],
                np.minimum(fall, 1),
            ),
        )
        second.elbows[:, side] = [0.8 * OUTWARD[side], -1, -0.4]
    return distance


@dataclass(frozen=True)
class Action:
    """How an action is performed.

    Args:
        motion (Callable): Changes a posture (two for an action between two, and
            returns the distance of the two).
        rate (float): Cycles per second at the usual tempo.
        num_persons (int): 1 or 2.
        pausing (bool): Whether it may begin or end within a clip.
        right_handed (bool): Whether left-handed persons use the right hand too.
    """

    motion: Callable
    rate: float
    num_persons: int = 1
    pausing: bool = True
    right_handed: bool = False


ACTIONS = dict(
    wave=Action(wave, 1.3),
    clap=Action(clap, 1.5),
    drink=Action(drink, 0.45),
    punch=Action(punch, 0.9),
    throw=Action(throw, 0.65),
    kick=Action(kick, 0.65),
    squat=Action(squat, 0.5),
    jump=Action(jump, 0.75),
    bow=Action(bow, 0.45),
    # A walker who stood still for a while would slide on the floor.
    walk=Action(walk, 0.9, pausing=False),
    handshake=Action(handshake, 0.45, num_persons=2, right_handed=True),
    push=Action(push, 0.55, num_persons=2),
)


def idle(posture: Posture, seconds: np.ndarray, rng: np.random.Generator) -> None:
    """Add, in place, what nobody holds still while doing something else.

    Trunk and head have a pose of their own in each clip and sway; the wrists
    drift.

    Args:
        posture (Posture): Changed in place.
        seconds (np.ndarray): ``(T,)`` time.
        rng (np.random.Generator): Source of the draws.
    """

    def wander(shape, size):
        rates = rng.uniform(0.1, 0.7, (1, *shape, 2))
        starts = rng.uniform(0, 2 * np.pi, rates.shape)
        time = seconds.reshape(-1, *[1] * (len(shape) + 1))
        waves = np.sin(2 * np.pi * rates * time + starts)
        return np.multiply(size, 0.5) * waves.sum(-1)

    posture.pelvis[:, [0, 2]] += wander((2,), 0.02)
    posture.hips += rng.normal(0, 2, 3) + wander((3,), 2)
    posture.trunk += rng.normal(0, 4, 3) + wander((3,), 3)
    posture.head += rng.normal(0, (6, 14, 4)) + wander((3,), (5, 10, 3))
    posture.wrists += rng.normal(0, 0.03, (2, 3)) + wander((2, 3), 0.04)


def _hang(body: Body, side: int, angle, outward=0.16) -> np.ndarray:
    """Wrist of a nearly straight arm that is swung forward by some radians."""
    down = np.sqrt(0.97**2 - np.square(outward))
    place = [outward + 0 * angle, -down * np.cos(angle), down * np.sin(angle)]
    return body.reach(side, np.stack(place, axis=-1))


def _wrist_at(posture: Posture, body: Body, point) -> np.ndarray:
    """Wrist of a standing posture at a point, ``(3,)``, above the floor."""
    chest = np.radians(posture.trunk[0, 0])
    lumbar = chest / 2
    sine, cosine = np.sin(chest), np.cos(chest)
    sideways, up, forward = point
    up -= (
        body.pelvis_height
        + body.lower_spine * np.cos(lumbar)
        + body.upper_spine * cosine
    )
    forward -= body.lower_spine * np.sin(lumbar) + body.upper_spine * sine
    return np.array(
        [sideways, cosine * up + sine * forward, cosine * forward - sine * up]
    )


def _step(posture: Posture, side: int, length: float) -> None:
    """Put one foot ahead of the other and sink a little for it."""
    posture.ankles[:, side, 2] += length / 2
    posture.ankles[:, 1 - side, 2] -= length / 2
    posture.pelvis[:, 1] -= 0.15 * length


def _turn_out(posture: Posture, degrees: float) -> None:
    posture.feet[:, :, 1] += degrees * np.array(OUTWARD)


def _blend(start, between, end, share: np.ndarray) -> np.ndarray:
    """Lead a hand from one place by way of a second to a third, ``(T, 3)``."""
    share = share[:, None]
    return (
        (1 - share) ** 2 * np.array(start)
        + 2 * share * (1 - share) * np.array(between)
        + share**2 * np.array(end)
    )
