"""A pre-trained encoder in Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
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
from ..checkpoint.preparation import check_preparation, preparation_of
from ..datasets.wrapped import dataset_cfgs, is_kind
from ..evaluation.data_settings import fill_from_file
from ..evaluation.protocol import read_config
from ..skeleton import SkeletonLayout, get_layout, layer_features, side_by_side
from ..views import SkeletonAlign, SkeletonToLayout


class SkeletonEncoder(nn.Module):
    """A backbone with the alignment and the stream that it was trained with.

    Args:
        backbone (nn.Module): ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        preprocessor (nn.Module, optional): The model's data preprocessor.
        pipeline (Compose): Transforms from one clip to the model's input.
        pool (Mapping, optional): What the features keep apart, see
            :func:`layer_features`.
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

    @property
    def aligns(self) -> bool:
        """Whether the pipeline aligns clips."""
        return any(isinstance(t, SkeletonAlign) for t in self.pipeline.transforms)

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

    def layer_features(self, inputs: list[Tensor]) -> list[Tensor]:
        """Features ``(N, D)`` of clips that :meth:`prepare` made, of each layer."""
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
            return layer_features(self.backbone, x, self.pool)
        # MMAction2's own packing has several cuts of a clip, which are averaged.
        features = layer_features(self.backbone, x.flatten(0, 1), self.pool)
        return [f.unflatten(0, x.shape[:2]).mean(1) for f in features]

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """:meth:`layer_features` as one, see :func:`side_by_side`."""
        return side_by_side(self.layer_features(inputs))


def build_encoder(
    config: str | os.PathLike | Config | None, checkpoint: str | None = None
) -> SkeletonEncoder:
    """:func:`init_encoder` for a config, a checkpoint or both."""
    cfg, content = _read(config, checkpoint)
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
        # Clips of other layouts are mapped by extract_features.
        pipeline = Compose(
            [
                t
                for t in _test_pipeline(cfg)
                if not is_kind(t, TRANSFORMS, SkeletonToLayout)
            ]
        )
    return SkeletonEncoder(
        backbone,
        None if preprocessor is None else build_model(preprocessor),
        pipeline,
        model.get('pool'),
    )


def _read(
    config: str | os.PathLike | Config | None, checkpoint: str | None
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The full config, and the content of the checkpoint."""
    content = {} if checkpoint is None else read_checkpoint(checkpoint)
    if config is not None:
        cfg = config if isinstance(config, Config) else read_config(str(config))
        fill_from_file(cfg)
        return cfg.to_dict(), content
    checkpoint = str(checkpoint)
    prepared = preparation_of(content, checkpoint)
    model = model_cfg_of(content, checkpoint)
    model.setdefault('pool', (content.get('meta') or {}).get('pool'))
    if 'data_preprocessor' in prepared:
        model['data_preprocessor'] = prepared['data_preprocessor']
    if 'pipeline' not in prepared:
        raise ValueError(
            f'init_encoder: {checkpoint} does not store how clips are prepared; give '
            'the config before it.'
        )
    dataset = dict(pipeline=prepared['pipeline'])
    return dict(model=model, test_dataloader=dict(dataset=dataset)), content


def _test_pipeline(cfg: Config) -> list[Mapping[str, Any]]:
    """Pipeline of the test data set, also of a wrapped one."""
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    parts = [part for _, part in dataset_cfgs(loader.get('dataset'), 'dataset')]
    # With several data sets, the last one is classified and the others are the bank.
    if not parts or 'pipeline' not in parts[-1]:
        raise ValueError(
            'init_encoder: the config has no test_dataloader.dataset.pipeline, so '
            'its alignment is unknown; add it.'
        )
    return parts[-1]['pipeline']
