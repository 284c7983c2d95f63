"""A part of the labelled clips, as semi-supervised evaluation needs it."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log
from torch.utils.data import Dataset

from ..annotations.clip_checks import sample_name


@DATASETS.register_module()
class LabelledFraction(Dataset):
    """The same fraction of the clips of each class, at least one of each.

    The choice depends on ``seed``, ``fraction`` and the names (``frame_dir``) of a class's
    clips alone: not on the process, the order of the file or the other classes. For one
    seed the clips of a smaller fraction are among those of a larger one.

    Args:
        dataset (dict | BaseDataset): The whole set, such as :class:`SkeletonDataset`,
            ``PoseDataset``, :class:`HiCLRNpyDataset` or :class:`SyntheticSkeletons`.
        fraction (float): Part of each class, above 0, at most 1; 0.01 is 1 %.
        seed (int): Names the choice; not negative.
        keep_length (bool): Whether an epoch stays as long as that of the whole set, by
            taking the chosen clips again and again, as the released semi-supervised
            recipe does. Then the number of iterations does not depend on ``fraction``.
        lazy_init (bool): As in :class:`BaseDataset`.

    Raises:
        ValueError: If ``fraction`` or ``seed`` is out of range, or a clip has no label.
    """

    def __init__(
        self,
        dataset: dict | BaseDataset,
        fraction: float,
        seed: int = 0,
        keep_length: bool = False,
        lazy_init: bool = False,
    ) -> None:
        if not 0 < fraction <= 1:
            raise ValueError(
                f'fraction={fraction} is not above 0 and at most 1; write 1 % as 0.01.'
            )
        if not isinstance(seed, int) or seed < 0:
            raise ValueError(f'seed={seed!r} is no whole number of 0 or more; use one.')
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.fraction = fraction
        self.seed = seed
        self.keep_length = keep_length
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        """Meta information of the whole set."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Load the whole set and choose; ``clips`` then tells which."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        # Not the data sets' own get_data_info: names and labels need no clip read.
        infos = [
            BaseDataset.get_data_info(self.dataset, i) for i in range(len(self.dataset))
        ]
        members: dict[int, list[tuple[str, int]]] = {}
        for i, info in enumerate(infos):
            if info.get('label') is None:
                raise ValueError(
                    f'LabelledFraction: clip {sample_name(info)!r} has no label; choose '
                    'from labelled clips alone.'
                )
            members.setdefault(int(info['label']), []).append((sample_name(info), i))
        chosen = [
            (i, name, label)
            for label, clips in members.items()
            for name, i in self._choose(label, clips)
        ]
        #: The chosen clips: place in the whole set, name and label, in the set's order.
        self.clips: list[dict[str, Any]] = [
            dict(index=i, name=name, label=label) for i, name, label in sorted(chosen)
        ]
        self._fully_initialized = True
        print_log(
            f'LabelledFraction: {len(self.clips)} of {len(self.dataset)} clips, '
            f'{self.fraction:.4g} of each of {len(members)} classes (seed {self.seed}).',
            logger='current',
            level=logging.INFO,
        )

    def _choose(
        self, label: int, clips: list[tuple[str, int]]
    ) -> list[tuple[str, int]]:
        # The first of one permutation: so that fractions are nested.
        order = np.random.default_rng([self.seed, label]).permutation(len(clips))
        count = max(1, round(self.fraction * len(clips)))
        clips = sorted(clips)
        return [clips[k] for k in order[:count]]

    @force_full_init
    def __len__(self) -> int:
        return len(self.dataset) if self.keep_length else len(self.clips)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """The clip, before the pipeline."""
        return self.dataset.get_data_info(self._place(idx))

    @force_full_init
    def __getitem__(self, idx: int) -> Any:
        return self.dataset[self._place(idx)]

    def _place(self, idx: int) -> int:
        """Where the clip is in the whole set."""
        if not -len(self) <= idx < len(self):
            raise IndexError(f'LabelledFraction has no clip {idx}; it has {len(self)}.')
        return self.clips[idx % len(self) % len(self.clips)]['index']
