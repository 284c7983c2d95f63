"""Statistics of the data sets of a training."""

from __future__ import annotations

import numpy as np
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from ...annotations.clip_checks import array_shape
from ...datasets.wrapped import innermost


@HOOKS.register_module()
class SetStatisticsHook(Hook):
    """Log clips, frames, persons and draws per epoch of each training set.

    Args:
        clips (int): Number of inspected clips, spread over each set.

    Raises:
        ValueError: If ``clips`` is below 1.
    """

    def __init__(self, clips: int = 500) -> None:
        if clips < 1:
            raise ValueError(f'SetStatisticsHook: clips={clips} is below 1.')
        self.clips = clips

    def before_train(self, runner) -> None:
        """Log a line for each set."""
        loader = runner.train_dataloader
        parts = getattr(loader.dataset, 'datasets', None) or [loader.dataset]
        sampler = getattr(loader.sampler, 'sampler', loader.sampler)
        quotas = getattr(sampler, 'quotas', [len(part) for part in parts])
        for part, quota in zip(parts, quotas, strict=True):
            source = next(innermost(part))
            name = getattr(source, 'ann_file', '') or type(source).__name__
            layout = getattr(getattr(source, 'layout', None), 'name', 'its own layout')
            count = min(len(source), self.clips)
            shapes = [
                array_shape(source.get_data_info(round(i)).get('keypoint'))
                for i in np.linspace(0, len(source) - 1, count)
            ]
            frames = [shape[1] for shape in shapes]
            runner.logger.info(
                f'{name}: {len(part):,} clips, {layout}, {min(frames)} to {max(frames)} '
                f'frames (median {np.median(frames):g}), up to '
                f'{max(shape[0] for shape in shapes)} person(s); drawn {quota:,} of '
                f'{sum(quotas):,} times per epoch'
            )
