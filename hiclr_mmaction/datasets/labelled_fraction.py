"""A fraction of the labelled clips, for semi-supervised evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.dist import broadcast_object_list
from mmengine.logging import print_log
from torch.utils.data import Dataset

from ..annotations.clip_checks import sample_name


@DATASETS.register_module()
class LabelledFraction(Dataset):
    """The same fraction, or number, of the clips of each class; at least one of each.

    The choice depends only on ``seed``, the fraction and the names (``frame_dir``) of the
    clips of a class, not on the process, the order of the file or other classes. With the
    same seed, the clips of a smaller fraction are a subset of those of a larger one.

    Args:
        dataset (dict | BaseDataset): The whole set, such as :class:`SkeletonDataset`,
            ``PoseDataset``, :class:`HiCLRNpyDataset` or :class:`SyntheticSkeletons`.
        fraction (float, optional): Part of each class, above 0, at most 1; 0.01 is 1 %.
            At least one clip of each class is taken; the log reports the fraction.
        seed (int, optional): Seed of the choice; not negative. None: the seed of the run
            (``--seed``), so that runs with different seeds use different clips.
        keep_length (bool): Whether an epoch has the length of the full set, by repeating
            the chosen clips, as in the released semi-supervised recipe. The number of
            iterations then does not depend on ``fraction``.
        lazy_init (bool): As in :class:`BaseDataset`.
        clips_per_class (int, optional): Clips of each class (all clips if it has fewer),
            instead of ``fraction``.

    Attributes:
        clips (list[dict]): The chosen clips: ``index`` in the whole set, ``name`` and
            ``label``, in the set's order.

    Raises:
        ValueError: If a setting is out of range, both or neither of ``fraction`` and
            ``clips_per_class`` are given, or a clip has no label.
    """

    def __init__(
        self,
        dataset: dict | BaseDataset,
        fraction: float | None = None,
        seed: int | None = None,
        keep_length: bool = False,
        lazy_init: bool = False,
        clips_per_class: int | None = None,
    ) -> None:
        if (fraction is None) == (clips_per_class is None):
            raise ValueError(
                f'LabelledFraction: fraction={fraction}, clips_per_class='
                f'{clips_per_class}; set one of them, and the other to None.'
            )
        if fraction is not None and not 0 < fraction <= 1:
            raise ValueError(
                f'fraction={fraction} is not above 0 and at most 1; write 1 % as 0.01.'
            )
        for name, value, low in [
            ('seed', seed, 0),
            ('clips_per_class', clips_per_class, 1),
        ]:
            if value is not None and (not isinstance(value, int) or value < low):
                raise ValueError(
                    f'LabelledFraction: {name}={value!r} is not an integer of {low} or '
                    'more.'
                )
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.fraction = fraction
        self.clips_per_class = clips_per_class
        self.follows_run = seed is None
        self.seed = _seed_of_the_run() if seed is None else seed
        self.keep_length = keep_length
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        """Meta information of the whole set."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Load the whole set and choose."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        # Not the data sets' own get_data_info: names and labels need no clip read.
        infos = [
            BaseDataset.get_data_info(self.dataset, i) for i in range(len(self.dataset))
        ]
        for info in infos:
            if info.get('label') is None:
                raise ValueError(
                    f'LabelledFraction: clip {sample_name(info)!r} has no label; leave '
                    'such clips out by dataset.filter_cfg=dict(labelled=True).'
                )
        self._names = [sample_name(info) for info in infos]
        self._labels = [int(info['label']) for info in infos]
        self._fully_initialized = True
        self.choose(self.seed)

    def choose(self, seed: int) -> None:
        """Choose the clips by another seed."""
        self.seed = seed
        chosen = choose_clips(
            self._names, self._labels, seed, self.fraction, self.clips_per_class
        )
        self.clips: list[dict[str, Any]] = [
            dict(index=i, name=self._names[i], label=self._labels[i]) for i in chosen
        ]
        self._log()

    def _log(self) -> None:
        """Log the number of chosen clips; one of 14 is 7 % even if 1 % was requested."""
        labels = [clip['label'] for clip in self.clips]
        counts = Counter(labels).values()
        low, high = min(counts), max(counts)
        each = f'{low}' if low == high else f'{low} to {high}'
        asked = (
            f'fraction={self.fraction:g}'
            if self.fraction is not None
            else f'clips_per_class={self.clips_per_class}'
        )
        print_log(
            f'LabelledFraction: {len(labels)} of {len(self.dataset)} clips '
            f'({len(labels) / len(self.dataset):.1%}), {each} of each of {len(counts)} '
            f'classes ({asked}, seed {self.seed}).',
            logger='current',
        )

    @force_full_init
    def __len__(self) -> int:
        return len(self.dataset) if self.keep_length else len(self.clips)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """The clip, before the pipeline."""
        return self.dataset.get_data_info(self._index(idx))

    @force_full_init
    def __getitem__(self, idx: int) -> Any:
        return self.dataset[self._index(idx)]

    def _index(self, idx: int) -> int:
        """The clip's index in the whole set."""
        if not -len(self) <= idx < len(self):
            raise IndexError(f'LabelledFraction has no clip {idx}; it has {len(self)}.')
        return self.clips[idx % len(self) % len(self.clips)]['index']


def choose_clips(
    names: Sequence[str],
    labels: Sequence[int],
    seed: int,
    fraction: float | None = None,
    clips_per_class: int | None = None,
) -> list[int]:
    """Choose labelled clips, as many of each class as :class:`LabelledFraction` does.

    Args:
        names (Sequence[str]): Names of the clips.
        labels (Sequence[int]): Their labels.
        seed (int): Seed of the choice.
        fraction (float, optional): Part of each class.
        clips_per_class (int, optional): Clips of each class, in place of ``fraction``.

    Returns:
        list[int]: Indices of the chosen clips, in order.
    """
    members: dict[int, list[tuple[str, int]]] = {}
    for i, (name, label) in enumerate(zip(names, labels, strict=True)):
        members.setdefault(int(label), []).append((name, i))
    chosen = []
    for label, clips in members.items():
        # The first of one permutation, so that fractions are nested.
        order = np.random.default_rng([seed, label]).permutation(len(clips))
        count = clips_per_class or max(1, round((fraction or 0) * len(clips)))
        clips.sort()
        chosen += [clips[k][1] for k in order[:count]]
    return sorted(chosen)


def _seed_of_the_run() -> int:
    """The runner's seed of this process; with several ranks, of the first."""
    seeds = [torch.initial_seed()]
    broadcast_object_list(seeds)
    return seeds[0]
