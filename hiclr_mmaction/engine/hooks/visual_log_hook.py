"""Pictures of views and features during a run."""

from __future__ import annotations

import importlib.util
import os.path as osp
from collections.abc import Sequence

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from ...compat import add_vis_backend
from ...methods import SkeletonLearner
from ...models.modules import bare_model
from ...visualization import (
    METHODS,
    check_method,
    draw_features,
    draw_views,
    embed_features,
    sample_views,
    to_pixels,
)


@HOOKS.register_module()
class VisualLogHook(Hook):
    """Log to TensorBoard, with pictures of views at the start, and of features.

    Everything goes through the runner's visualizer, to TensorBoard (scalars as well)
    and to the other backends: the local one puts the pictures into
    ``vis_data/vis_image``. Off by default, and one option turns it on::

        --cfg-options default_hooks.visualization.type=VisualLogHook

    The pictures of features reuse the features of a validation, without the clips of the
    k-NN's bank and, with several processes, only those of the first process. Views use a
    fixed seed, and do not change the random numbers of the run.

    Args:
        interval (int): Number of validations between two pictures of features.
        max_clips (int): Maximum number of clips in a picture, chosen at random.
        method (str): ``'tsne'`` or ``'umap'``, see :func:`embed_features`.
        tensorboard (bool): False: only the backends of the config.
        index (int): The training clip whose views are drawn.
        seed (int): Random seed.

    Raises:
        ImportError: If tensorboard, or umap-learn for ``'umap'``, is not installed.
        ValueError: If a setting is out of range.
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int = 1,
        max_clips: int = 1000,
        method: str = 'tsne',
        tensorboard: bool = True,
        index: int = 0,
        seed: int = 0,
    ) -> None:
        if interval < 1 or max_clips < 4:
            raise ValueError(
                f'VisualLogHook: interval={interval} must be at least 1, '
                f'max_clips={max_clips} at least 4.'
            )
        check_method(method)
        if tensorboard and importlib.util.find_spec('tensorboard') is None:
            raise ImportError(
                'VisualLogHook needs tensorboard: pip install tensorboard, or set '
                'tensorboard=False.'
            )
        self.interval = interval
        self.max_clips = max_clips
        self.method = method
        self.tensorboard = tensorboard
        self.index = index
        self.seed = seed
        self._validations = 0
        self._features: list[torch.Tensor] = []
        self._labels: list[int] = []

    def before_run(self, runner) -> None:
        """Add TensorBoard to the visualizer."""
        if self.tensorboard and is_main_process():
            folder = osp.join(runner.log_dir, 'vis_data')
            backend = add_vis_backend(
                runner.visualizer, 'TensorboardVisBackend', folder
            )
            backend.add_config(runner.cfg)

    def before_train(self, runner) -> None:
        """Log a picture of the views, of a pre-training that begins."""
        model = bare_model(runner.model)
        learns = isinstance(model, SkeletonLearner)
        if runner.iter > 0 or not learns or not is_main_process():
            return
        if not hasattr(model.data_preprocessor, 'sample_views'):
            runner.logger.warning(
                'VisualLogHook: no picture of views, since '
                f'{type(model.data_preprocessor).__name__} has no sample_views.'
            )
            return
        views = sample_views(
            runner.train_dataloader.dataset, model, self.index, self.seed
        )
        figure = draw_views(views, model.data_preprocessor.layout)
        runner.visualizer.add_image('views', to_pixels(figure), step=0)

    def after_val_iter(
        self, runner, batch_idx: int, data_batch: dict, outputs: Sequence
    ) -> None:
        """Keep the features of a batch, if its validation will be drawn."""
        if not self._due or not isinstance(outputs, torch.Tensor):
            return
        for sample, feature in zip(data_batch['data_samples'], outputs, strict=True):
            if 'gt_label' in sample and not sample.get('knn_bank', False):
                self._features.append(feature.detach().float().cpu())
                self._labels.append(int(sample.gt_label))

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Log the picture of the features."""
        features, labels = self._features, np.array(self._labels)
        self._features, self._labels = [], []
        self._validations += 1
        if len(features) < 4 or not is_main_process():
            return
        chosen = np.random.default_rng(self.seed).permutation(len(features))
        chosen = chosen[: self.max_clips]
        points = embed_features(
            torch.stack(features).numpy()[chosen], self.method, self.seed
        )
        figure = draw_features(
            {f'epoch {runner.epoch}': points},
            labels[chosen],
            (runner.visualizer.dataset_meta or {}).get('classes'),
            axis=METHODS[self.method],
        )
        runner.visualizer.add_image('features', to_pixels(figure), step=runner.iter)

    def after_run(self, runner) -> None:
        """Flush TensorBoard's file."""
        if self.tensorboard and is_main_process():
            runner.visualizer.get_backend('TensorboardVisBackend').experiment.flush()

    @property
    def _due(self) -> bool:
        return (self._validations + 1) % self.interval == 0
