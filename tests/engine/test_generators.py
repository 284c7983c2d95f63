"""The generators of a process, read and set."""

import io
import random

import numpy as np
import torch

from hiclr_mmaction.engine.generators import generator_states, set_generator_states


def draws():
    out = [random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn()]
    out += torch.rand(3).tolist() + torch.randn(1).tolist()
    if torch.cuda.is_available():
        out += torch.rand(3, device='cuda').tolist()
    return out


def test_draws_go_on_from_a_state_that_was_saved():
    draws()  # half of a pair of normal numbers is kept for later
    file = io.BytesIO()
    torch.save(generator_states(), file)
    first = draws()
    assert draws() != first
    file.seek(0)
    set_generator_states(torch.load(file, weights_only=True))
    assert draws() == first
