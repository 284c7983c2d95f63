"""A pre-trained encoder in Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from ..checkpoint import build_model, matching_backbone, read_checkpoint
from ..datasets.wrapped import dataset_cfgs
from ..evaluation.data_settings import fill_from_file
from ..evaluation.protocol import read_config
from ..models.modules import pool_skeleton
from ..skeleton import SkeletonLayout, get_layout


class SkeletonEncoder(nn.Module):
    """A backbone with the alignment and the stream that it was trained with.

    Args:
        backbone (nn.Module): ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        preprocessor (nn.Module, optional): The model's data preprocessor.
        pipeline (Compose): Transforms from one clip to the model's input.
    """

    def __init__(
        self, backbone: nn.Module, preprocessor: nn.Module | None, pipeline: Compose
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.pipeline = pipeline

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.backbone.parameters()).device

    @property
    def layout(self) -> SkeletonLayout:
        """The skeleton of the clips, as the preprocessor or the pipeline names it."""
        for part in (self.preprocessor, *self.pipeline.transforms):
            if getattr(part, 'layout', None) is not None:
                return get_layout(part.layout)
        raise ValueError(
            'neither model.data_preprocessor nor the test pipeline names the layout of '
            'the skeleton; set it in SkeletonAlign or SkeletonViewPreprocessor.'
        )

    def pack(self, clip: np.ndarray, name: str) -> dict[str, Any]:
        """One raw clip ``(M, T, V, C)`` through the pipeline, by ``name`` in errors."""
        results = dict(
            keypoint=np.array(clip, dtype=np.float32),
            total_frames=clip.shape[1],
            frame_dir=name,
            start_index=0,
            modality='Pose',
            test_mode=True,
        )
        return self.pipeline(results)

    def prepare(self, clip: np.ndarray, name: str) -> Tensor:
        """The model's input of one raw clip, as :meth:`pack` makes it."""
        return self.pack(clip, name)['inputs']

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Features ``(N, C)`` of clips that :meth:`prepare` made."""
        if len({x.shape for x in inputs}) > 1:
            raise ValueError(
                'the test pipeline of the config gives clips of different shapes '
                f'({sorted({tuple(x.shape) for x in inputs})}); add SkeletonAlign to it.'
            )
        if self.preprocessor is None:
            x = torch.stack(inputs).to(self.device)
        else:
            samples = [ActionDataSample() for _ in inputs]
            x = self.preprocessor(dict(inputs=inputs, data_samples=samples))['inputs']
        if x.dim() == 5:
            return pool_skeleton(self.backbone(x))
        # MMAction2's own packing: several cuts of a clip, which are averaged.
        features = pool_skeleton(self.backbone(x.flatten(0, 1)))
        return features.unflatten(0, x.shape[:2]).mean(1)


def init_encoder(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device = 'cpu',
) -> SkeletonEncoder:
    """Build the encoder of a config and load its weights.

    Args:
        config (str | os.PathLike | Config): Of ``HiCLR`` or a recognizer. Clips are
            prepared as its test data set does.
        checkpoint (str | os.PathLike, optional): With the weights under ``backbone.*``,
            as runs and ``tools/checkpoint`` write them. None: random weights.
        device (str | torch.device): Where the encoder runs.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: If the config has no backbone or no test pipeline, or the checkpoint
            cannot be used; the message names the first keys that differ.
    """
    cfg = config if isinstance(config, Config) else read_config(config)
    fill_from_file(cfg)
    model = cfg.get('model') or {}
    if not model.get('backbone'):
        raise ValueError(
            'init_encoder: the config has no model.backbone; give a config of HiCLR or '
            'of a recognizer.'
        )
    backbone = build_model(model['backbone'])
    preprocessor = model.get('data_preprocessor')
    if checkpoint is None:
        backbone.init_weights()  # type: ignore[operator]
    else:
        weights = matching_backbone(backbone, read_checkpoint(checkpoint), checkpoint)
        backbone.load_state_dict(weights)
    with DefaultScope.overwrite_default_scope('mmaction'):
        pipeline = Compose(_test_pipeline(cfg))
    encoder = SkeletonEncoder(
        backbone,
        None if preprocessor is None else build_model(preprocessor),
        pipeline,
    )
    return encoder.to(device).eval()


@torch.no_grad()
def extract_features(
    encoder: SkeletonEncoder,
    clips: np.ndarray | Sequence[np.ndarray],
    batch_size: int = 64,
) -> np.ndarray:
    """Features of raw clips.

    Args:
        encoder (SkeletonEncoder): Of :func:`init_encoder`.
        clips (np.ndarray | Sequence[np.ndarray]): A clip ``(M, T, V, C)``, in metres,
            clips of one length ``(N, M, T, V, C)``, or a list of clips of any length
            and number of persons.
        batch_size (int): Clips at a time.

    Returns:
        np.ndarray: float32 ``(N, C)``, the same as ``HiCLR.predict`` gives.

    Raises:
        ValueError: If there is no clip, or one does not fit the config's layout, is
            empty or not finite; the message tells which.
    """
    clips = _as_list(clips)
    if batch_size < 1:
        raise ValueError(f'batch_size={batch_size}; it must be at least 1.')
    encoder.eval()
    features = []
    for start in range(0, len(clips), batch_size):
        batch = [
            encoder.prepare(clip, f'clips[{i}]')
            for i, clip in enumerate(clips[start : start + batch_size], start)
        ]
        features.append(encoder(batch).float().cpu())
    return torch.cat(features).numpy()


def _as_list(clips: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
    if isinstance(clips, np.ndarray | Tensor) and clips.ndim == 4:
        clips = [clips]
    clips = [np.asarray(clip) for clip in clips]
    if not clips:
        raise ValueError('clips is empty; give at least one clip (M, T, V, C).')
    for i, clip in enumerate(clips):
        if clip.ndim != 4 or clip.dtype.kind not in 'fiu':
            raise ValueError(
                f'clips[{i}] is {clip.dtype} of shape {clip.shape}; a clip is an array '
                '(M, T, V, C) of numbers: persons, frames, joints, coordinates.'
            )
    return clips


def _test_pipeline(cfg: Config) -> list[Mapping[str, Any]]:
    """Transforms of the data set that is tested, within whatever wraps it."""
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    parts = [part for _, part in dataset_cfgs(loader.get('dataset'), 'dataset')]
    # Of several data sets the last is classified, the others are the bank.
    if not parts or 'pipeline' not in parts[-1]:
        raise ValueError(
            'init_encoder: the config has no test_dataloader.dataset.pipeline, so '
            'nothing tells how clips are aligned; add it.'
        )
    return parts[-1]['pipeline']
