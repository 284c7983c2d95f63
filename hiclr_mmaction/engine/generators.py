"""The state of every generator of a process, as tensors and plain numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def generator_states() -> dict[str, Any]:
    """Read the generators of Python, numpy, torch and this process's GPU.

    A checkpoint can hold them: torch's safe loader reads them.
    """
    _, words, gauss = random.getstate()
    _, keys, *rest = np.random.get_state()
    states: dict[str, Any] = dict(
        python=dict(words=torch.tensor(words), gauss=gauss),
        numpy=dict(keys=torch.from_numpy(np.asarray(keys, np.int64)), rest=rest),
        torch=torch.get_rng_state(),
    )
    if torch.cuda.is_available():
        states['cuda'] = torch.cuda.get_rng_state()
    return states


def set_generator_states(states: dict[str, Any]) -> None:
    """Set the generators to what :func:`generator_states` read, on any device."""
    python, numpy = states['python'], states['numpy']
    random.setstate((3, tuple(python['words'].tolist()), python['gauss']))
    keys = numpy['keys'].cpu().numpy().astype(np.uint32)
    np.random.set_state(('MT19937', keys, *numpy['rest']))
    torch.set_rng_state(states['torch'].cpu())
    if 'cuda' in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states['cuda'].cpu())
