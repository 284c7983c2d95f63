"""Find an encoder: in the zoo, or of a config and a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from ..compat import make_importable
from ..skeleton import checked_pool
from ..zoo import ZOO, ZooEncoder, find_weights, read_weights

if TYPE_CHECKING:
    from mmengine.config import Config

    from .encoder import SkeletonEncoder

_CONFIGS = ('.py', '.json', '.yaml', '.yml')


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
        checkpoint (str | os.PathLike, optional): Beside a config: a checkpoint of a run
            or of ``tools/checkpoint``, with weights ``backbone.*``. None: random weights.
        device (str | torch.device): Where the encoder runs.
        pool (Mapping, optional): What the features keep apart: ``time`` (segments) and
            ``joints``; and whose are added: ``layers``. See
            :func:`~hiclr_mmaction.skeleton.layer_features`. None: as in training; ``{}``:
            nothing.

    Raises:
        FileNotFoundError: If a file does not exist.
        ImportError: If MMAction2 is not installed, and it is neither an encoder of the zoo
            nor an exported folder or ``.safetensors`` file.
        ValueError: If the config has no backbone or no test pipeline, or the checkpoint
            does not match: other weights (the message names the first keys that differ), or
            trained on clips with another preparation.
    """
    pool = None if pool is None else checked_pool(pool)
    cfg: str | os.PathLike | Config | None = config
    named = checkpoint
    if isinstance(config, str | os.PathLike) and not str(config).endswith(_CONFIGS):
        if checkpoint is not None:
            raise ValueError(
                f'init_encoder: {config} is not a config ({", ".join(_CONFIGS)}); give a '
                'config and a checkpoint, or a checkpoint alone.'
            )
        cfg, named = None, config
    file = None if named is None else find_weights(named)
    encoder: Any
    if cfg is None and named in ZOO:
        encoder = ZooEncoder.of(str(named), pool)
    elif (
        cfg is None and str(file).endswith('.safetensors') and not find_spec('mmaction')
    ):
        encoder = ZooEncoder(*read_weights(str(file)), str(file), pool)
    else:
        make_importable()
        from .encoder import build_encoder

        encoder = build_encoder(cfg, file)
        if pool is not None:
            encoder.pool = pool
    return encoder.to(device).eval()
