"""Find an encoder: in the zoo, or of a config and a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from ..compat import make_importable
from ..skeleton import check_layers
from ..zoo import ZOO, ZooEncoder

if TYPE_CHECKING:
    from mmengine.config import Config

    from .encoder import SkeletonEncoder


def init_encoder(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device = 'cpu',
    pool: Mapping[str, Any] | None = None,
) -> ZooEncoder | SkeletonEncoder:
    """Build an encoder and load its weights.

    Args:
        config (str | os.PathLike | Config): If it is the only argument: the name of an
            encoder of the zoo (:data:`hiclr_mmaction.zoo.ZOO`), a checkpoint that stores
            its config, or a folder written by ``tools/checkpoint/export.py``. Otherwise
            the config of a learner or recognizer; its test pipeline prepares the clips.
        checkpoint (str | os.PathLike, optional): A checkpoint of a run or of
            ``tools/checkpoint``, with weights ``backbone.*``. None: random weights.
        device (str | torch.device): Where the encoder runs.
        pool (Mapping, optional): What the features keep apart: ``time`` (segments) and
            ``joints``; and whose are added: ``layers``. See
            :func:`~hiclr_mmaction.skeleton.layer_features`. None: as in training; ``{}``:
            nothing.

    Raises:
        FileNotFoundError: If a file does not exist.
        ImportError: If it is not an encoder of the zoo, and MMAction2 is not installed.
        ValueError: If the config has no backbone or no test pipeline, or the checkpoint
            does not match: other weights (the message names the first keys that differ), or
            trained on clips with another preparation.
    """
    check_layers(**(pool or {}))
    if isinstance(config, str) and config in ZOO and checkpoint is None:
        encoder: Any = ZooEncoder.of(config, pool)
    else:
        make_importable()
        from .encoder import build_encoder

        encoder = build_encoder(config, checkpoint)
        if pool is not None:
            encoder.pool = dict(pool)
    return encoder.to(device).eval()
