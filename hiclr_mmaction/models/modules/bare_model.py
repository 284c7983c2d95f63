"""The model inside a wrapper for distributed runs."""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def bare_model(model: nn.Module) -> Any:
    """A runner's model without the wrapper of a distributed run, if it has one."""
    return model.module if is_model_wrapper(model) else model
