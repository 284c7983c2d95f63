"""Actions that are drawn instead of written: each number is an action of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from .articulated_body import LEFT, OUTWARD, RIGHT, Posture
from .choreography import Action, Actor, bow, jump, kick, squat, through, walk

PREFIX = 'improvised'

# What the legs do; mostly they stand.
_STEPS: tuple[Callable | None, ...] = (None, bow, jump, kick, squat, walk)
_STEP_SHARES = (0.5, 0.12, 0.06, 0.1, 0.12, 0.1)


def improvised_names(count: int) -> tuple[str, ...]:
    """Names of the first improvised actions, such as ``'improvised007'``."""
    return tuple(f'{PREFIX}{number:03d}' for number in range(count))


@lru_cache(maxsize=1024)
def improvise(number: int, seed: int = 0) -> Action:
    """Draw an action: paths of hands and trunk over standing or moving legs.

    A hand rests, or goes through two to five places within its reach, perhaps swinging
    fast meanwhile; the other does the same, mirrors it, or has a way of its own. The
    motion repeats, or leads from one posture to another, as in sitting down.

    Args:
        number (int): Which action.
        seed (int): Seed of the draws.
    """
    rng = np.random.default_rng([seed, 3, number])
    step = _STEPS[rng.choice(len(_STEPS), p=_STEP_SHARES)]
    right = _draw_hand(rng) if step is None or rng.random() < 0.7 else None
    other = rng.choice(['rest', 'mirror', 'own'], p=(0.4, 0.3, 0.3))
    left = {'rest': None, 'mirror': right, 'own': _draw_hand(rng)}[other]
    trunk = None
    if rng.random() < 0.5:
        degrees = rng.normal(0, (12, 18, 8), (3, 3)) + np.array([6, 0, 0])
        trunk = list(zip(_times(rng, 3), degrees, strict=True))
    one_way = step is not walk and rng.random() < 0.3
    backwards = rng.random() < 0.5
    rate = float(rng.uniform(0.4, 1.4) * (0.7 if one_way else 1))

    def motion(actor: Actor, posture: Posture, phase: np.ndarray) -> None:
        if one_way:
            phase = 0.5 * np.clip(phase, 0, 1)
            phase = 0.5 - phase if backwards else phase
        if step is not None:
            step(actor, posture, phase)
        for side, hand in ((LEFT, left), (RIGHT, right)):
            if hand is not None:
                hand(actor, posture, phase, side)
        if trunk is not None:
            posture.trunk += actor.amplitude * through(phase, *trunk)

    return Action(motion, rate, pausing=step is not walk)


def _draw_hand(rng: np.random.Generator) -> Callable:
    """A way of a hand, in arm lengths from its shoulder."""
    count = int(rng.integers(2, 6))
    places = rng.uniform((-0.5, -0.95, -0.2), (0.9, 0.95, 0.95), (count, 3))
    distances = np.linalg.norm(places, axis=1, keepdims=True)
    places *= np.clip(distances, 0.4, 0.96) / distances
    times = _times(rng, count)
    swing = rng.normal(0, 0.12, 3) if rng.random() < 0.3 else np.zeros(3)
    beats = rng.integers(2, 5)
    elbow = rng.uniform((0.2, -1, -0.6), (1, 0.1, 0.2))

    def hand(actor: Actor, posture: Posture, phase: np.ndarray, side: int) -> None:
        middle = places.mean(0)
        held = middle + min(actor.amplitude, 1.2) * (places - middle)
        held[:, 1] += 0.1 * actor.height
        way = through(phase, *zip(times, held, strict=True))
        way = way + np.sin(2 * np.pi * beats * phase)[:, None] * swing
        posture.wrists[:, side] = actor.body.reach(side, way)
        posture.elbows[:, side] = elbow * [OUTWARD[side], 1, 1]

    return hand


def _times(rng: np.random.Generator, count: int) -> np.ndarray:
    """Increasing phases from 0, no two close to each other."""
    gaps = rng.uniform(0.5, 1.5, count)
    return np.concatenate([[0.0], np.cumsum(gaps)[:-1] / gaps.sum()])
