"""Edges are perturbed for one forward; what it does to HiCLR is in tests/methods."""

import pytest
import torch

from hiclr_mmaction.models.modules import EdgePerturbation


def test_backbone_without_adjacency_is_an_error():
    with pytest.raises(ValueError, match="Linear keeps no adjacency .* 'A'"):
        EdgePerturbation(torch.nn.Linear(2, 2))
