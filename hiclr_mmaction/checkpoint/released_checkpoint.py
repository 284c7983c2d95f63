"""From a file of the released project to one of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from ..version import __version__
from .checkpoint_file import (
    build_model,
    check_match,
    check_writable,
    read_checkpoint,
    write_checkpoint,
)
from .from_hiclr import from_hiclr, released_model_cfg


def convert_hiclr(
    source: str | os.PathLike,
    target: str | os.PathLike,
    layout: str | dict = 'nturgb+d-stgcn',
    model: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> dict:
    """Convert a checkpoint file of the released HiCLR.

    Args:
        source (str | os.PathLike): A ``.pt`` file of the released project.
        target (str | os.PathLike): The file to write.
        layout (str | dict): Layout of the skeleton that the weights are for.
        model (Mapping, optional): Config of the model that the weights are to fit; by
            default one made from the weights' own widths.
        overwrite (bool): Whether an existing ``target`` is replaced.

    Returns:
        dict: The config of the model, which is also in the file.

    Raises:
        FileNotFoundError: If ``source`` is not there.
        FileExistsError: If ``target`` is there and ``overwrite`` is false.
        ValueError: If the file is not a checkpoint of the released HiCLR, or its
            layout or a width is another one than the model's.
    """
    check_writable(target, overwrite)
    state_dict = from_hiclr(read_checkpoint(source)['state_dict'], layout)
    state_dict = {
        name: v.float() if v.is_floating_point() else v
        for name, v in state_dict.items()
    }
    found = released_model_cfg(state_dict, layout)
    model = found if model is None else dict(model)
    check_match(build_model(model), state_dict, source)
    meta = dict(cfg=model_text(model), hiclr_mmaction_version=__version__)
    write_checkpoint(dict(meta=meta, state_dict=state_dict), target, overwrite)
    return model


def model_text(model: Mapping[str, Any], **others: Any) -> str:
    """A config with this model as the text that MMEngine keeps in checkpoints."""
    return Config(dict(others, model=dict(model))).pretty_text
