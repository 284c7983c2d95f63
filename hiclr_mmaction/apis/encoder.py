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

from ..checkpoint import (
    build_model,
    matching_backbone,
    model_cfg_of,
    read_checkpoint,
)
from ..checkpoint.export import WEIGHTS
from ..checkpoint.preparation import check_preparation, preparation_of
from ..datasets.wrapped import dataset_cfgs
from ..evaluation.data_settings import fill_from_file
from ..evaluation.protocol import read_config
from ..models.modules import pool_skeleton
from ..skeleton import SkeletonLayout, get_layout

_CONFIGS = ('.py', '.json', '.yaml', '.yml')


class SkeletonEncoder(nn.Module):
    """A backbone with the alignment and the stream that it was trained with.

    Args:
        backbone (nn.Module): ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        preprocessor (nn.Module, optional): The model's data preprocessor.
        pipeline (Compose): Transforms from one clip to the model's input.
        pool (Mapping, optional): What the features keep apart, see
            :func:`pool_skeleton`.
    """

    def __init__(
        self,
        backbone: nn.Module,
        preprocessor: nn.Module | None,
        pipeline: Compose,
        pool: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.pipeline = pipeline
        self.pool = dict(pool or {})

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

    def pack(self, clip: np.ndarray | Mapping, name: str) -> dict[str, Any]:
        """One raw clip ``(M, T, V, C)`` through the pipeline, by ``name`` in errors."""
        if not isinstance(clip, Mapping):
            clip = dict(keypoint=clip)
        results: dict[str, Any] = {
            key: np.array(clip[key], dtype=np.float32)
            for key in ('keypoint', 'keypoint_score')
            if key in clip
        }
        results.update(
            {k: clip[k] for k in ('img_shape', 'original_shape') if k in clip},
            total_frames=results['keypoint'].shape[1],
            frame_dir=name,
            start_index=0,
            modality='Pose',
            test_mode=True,
        )
        return self.pipeline(results)

    def prepare(self, clip: np.ndarray | Mapping, name: str) -> Tensor:
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
            return pool_skeleton(self.backbone(x), **self.pool)
        # MMAction2's own packing: several cuts of a clip, which are averaged.
        features = pool_skeleton(self.backbone(x.flatten(0, 1)), **self.pool)
        return features.unflatten(0, x.shape[:2]).mean(1)


def init_encoder(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device = 'cpu',
) -> SkeletonEncoder:
    """Build an encoder and load its weights.

    Args:
        config (str | os.PathLike | Config): Config of a learner or a recognizer; clips
            are prepared as its test data set does. Or, as the only argument, a
            checkpoint that holds its own config, or a folder that
            ``tools/checkpoint/export.py`` wrote.
        checkpoint (str | os.PathLike, optional): With the weights under ``backbone.*``,
            as runs and ``tools/checkpoint`` write them. None: random weights.
        device (str | torch.device): Where the encoder runs.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: If the config has no backbone or no test pipeline, or the checkpoint
            cannot be used: its weights do not fit (the message names the first keys
            that differ), or it was trained on clips prepared otherwise.
    """
    cfg, content, checkpoint = _read(config, checkpoint)
    model = cfg.get('model') or {}
    if not model.get('backbone'):
        raise ValueError(
            'init_encoder: the config has no model.backbone; give a config of a learner '
            'or of a recognizer.'
        )
    backbone = build_model(model['backbone'], checkpoint or 'the config')
    preprocessor = model.get('data_preprocessor')
    if checkpoint is None:
        backbone.init_weights()  # type: ignore[operator]
    else:
        check_preparation(content, cfg, checkpoint)
        backbone.load_state_dict(matching_backbone(backbone, content, checkpoint))
    with DefaultScope.overwrite_default_scope('mmaction'):
        pipeline = Compose(_test_pipeline(cfg))
    encoder = SkeletonEncoder(
        backbone,
        None if preprocessor is None else build_model(preprocessor),
        pipeline,
        model.get('pool'),
    )
    return encoder.to(device).eval()


def _read(
    config: str | os.PathLike | Config, checkpoint: str | os.PathLike | None
) -> tuple[Mapping[str, Any], dict[str, Any], str | os.PathLike | None]:
    """The whole config, the checkpoint's content, and its path."""
    if isinstance(config, Config) or str(config).endswith(_CONFIGS):
        cfg = config if isinstance(config, Config) else read_config(str(config))
        fill_from_file(cfg)
        content = {} if checkpoint is None else read_checkpoint(checkpoint)
        return cfg.to_dict(), content, checkpoint
    if checkpoint is not None:
        raise ValueError(
            f'init_encoder: {config} is not a config (.py, .json or .yaml); give a config '
            'and a checkpoint, or a checkpoint alone.'
        )
    checkpoint = os.path.join(config, WEIGHTS) if os.path.isdir(config) else config
    content = read_checkpoint(checkpoint)
    prepared = preparation_of(content, checkpoint)
    model = model_cfg_of(content, checkpoint)
    if 'data_preprocessor' in prepared:
        model['data_preprocessor'] = prepared['data_preprocessor']
    if 'pipeline' not in prepared:
        raise ValueError(
            f'init_encoder: {checkpoint} does not store how clips are prepared; give '
            'the config before it.'
        )
    dataset = dict(pipeline=prepared['pipeline'])
    cfg = dict(model=model, test_dataloader=dict(dataset=dataset))
    return cfg, content, checkpoint


@torch.no_grad()
def extract_features(
    encoder: SkeletonEncoder,
    clips: np.ndarray | Sequence | Mapping[str, Any],
    batch_size: int = 64,
) -> np.ndarray | dict[str, np.ndarray]:
    """Features of raw clips.

    A clip is an array ``(M, T, V, C)``, 3-D in metres, or a dict with such a
    ``keypoint`` and perhaps a ``keypoint_score``, as in a pose pickle.

    Args:
        encoder (SkeletonEncoder): Of :func:`init_encoder`.
        clips (np.ndarray | Sequence | Mapping): A clip, clips of one length
            ``(N, M, T, V, C)``, a list of clips of any length and number of persons, or
            a dict of clips by their names.
        batch_size (int): Clips at a time.

    Returns:
        np.ndarray | dict[str, np.ndarray]: float32 ``(N, D)``, the same as the model's
        ``predict`` gives; of clips by name, ``(D,)`` by name.

    Raises:
        ValueError: If there is no clip, or one does not fit the encoder's layout, is
            empty or not finite; the message names it.
    """
    if isinstance(clips, Mapping) and 'keypoint' not in clips:
        features = extract_features(encoder, list(clips.values()), batch_size)
        return dict(zip(clips, features, strict=True))
    clips = _as_list(clips)
    if batch_size < 1:
        raise ValueError(f'batch_size={batch_size}; it must be at least 1.')
    encoder.eval()
    found: list[Tensor] = []
    for start in range(0, len(clips), batch_size):
        batch = [
            encoder.prepare(clip, f'clips[{i}]')
            for i, clip in enumerate(clips[start : start + batch_size], start)
        ]
        found.append(encoder(batch).float().cpu())
    return torch.cat(found).numpy()


def _as_list(clips: Any) -> list[dict[str, Any]]:
    """Each clip as a dict with a ``keypoint``."""
    one = isinstance(clips, Mapping) or (
        isinstance(clips, np.ndarray | Tensor) and clips.ndim == 4
    )
    clips = [clips] if one else list(clips)
    if not clips:
        raise ValueError('clips is empty; give at least one clip (M, T, V, C).')
    out = []
    for i, clip in enumerate(clips):
        clip = clip if isinstance(clip, Mapping) else dict(keypoint=clip)
        keypoint = np.asarray(clip['keypoint'])
        if keypoint.ndim != 4 or keypoint.dtype.kind not in 'fiu':
            raise ValueError(
                f'clips[{i}] is {keypoint.dtype} of shape {keypoint.shape}; a clip is an '
                'array (M, T, V, C) of numbers: persons, frames, joints, coordinates.'
            )
        out.append(dict(clip, keypoint=keypoint))
    return out


def _test_pipeline(cfg: Config) -> list[Mapping[str, Any]]:
    """Transforms of the data set that is tested, within whatever wraps it."""
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    parts = [part for _, part in dataset_cfgs(loader.get('dataset'), 'dataset')]
    # Of several data sets the last is classified, the others are the bank.
    if not parts or 'pipeline' not in parts[-1]:
        raise ValueError(
            'init_encoder: the config has no test_dataloader.dataset.pipeline, so '
            'its alignment is unknown; add it.'
        )
    return parts[-1]['pipeline']
