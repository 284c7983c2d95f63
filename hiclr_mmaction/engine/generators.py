"""The state of every generator of a process, as tensors and plain numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Generator, nn


def generator_states(model: nn.Module) -> dict[str, Any]:
    """Read the generators of Python, numpy, torch, the device and the model.

    Args:
        model (nn.Module): Its modules' attributes that are a ``torch.Generator`` count.

    Returns:
        dict[str, Any]: What :func:`set_generator_states` takes. A checkpoint can hold
        it: torch's safe loader reads it.
    """
    _, words, gauss = random.getstate()
    _, keys, place, has_gauss, cached = np.random.get_state()
    states = dict(
        python=dict(words=torch.tensor(words), gauss=gauss),
        numpy=dict(
            keys=torch.from_numpy(keys.astype(np.int64)),
            rest=[place, has_gauss, cached],
        ),
        torch=torch.get_rng_state(),
        model={name: g.get_state() for name, g in _generators(model).items()},
    )
    if torch.cuda.is_available():
        states['cuda'] = torch.cuda.get_rng_state()
    return states


def set_generator_states(states: dict[str, Any], model: nn.Module) -> None:
    """Set the generators to what :func:`generator_states` read.

    Args:
        states (dict[str, Any]): The states, on any device.
        model (nn.Module): As there.
    """
    python, keys = states['python'], states['numpy']['keys']
    random.setstate((3, tuple(python['words'].tolist()), python['gauss']))
    np.random.set_state(
        ('MT19937', keys.cpu().numpy().astype(np.uint32), *states['numpy']['rest'])
    )
    torch.set_rng_state(states['torch'].cpu())
    generators = _generators(model)
    for name, state in states['model'].items():
        generators[name].set_state(state.cpu())
    if 'cuda' in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states['cuda'].cpu())


def _generators(model: nn.Module) -> dict[str, Generator]:
    """The generators that modules keep, by the name of the attribute."""
    return {
        f'{path}.{name}': value
        for path, module in model.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, Generator)
    }
