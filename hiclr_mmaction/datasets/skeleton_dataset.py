"""MMAction2's pose dataset, checked before training starts."""

from __future__ import annotations

import ctypes
import difflib
import logging
import os
import os.path as osp
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import mmengine
import numpy as np
import torch
from mmaction.datasets import BaseActionDataset, PoseDataset
from mmaction.registry import DATASETS
from mmengine.logging import print_log

from ..annotations.clip_checks import (
    UnusableClip,
    clip_problems,
    describe_counts,
    join_score,
    pose_content,
    sample_label,
    sample_name,
    split_name,
    split_overlaps,
)
from ..annotations.prepared import Preparation
from ..annotations.safe_pickle import load_pickle
from ..skeleton import get_layout, track
from ..views import (
    GrowingAugmentation,
    PackSkeletonViews,
    SkeletonAlign,
    SkeletonStream,
    SkeletonTransform,
)
from .labels import keep_labelled

_KEEP_LENGTH = (
    GrowingAugmentation,
    PackSkeletonViews,
    SkeletonStream,
    SkeletonTransform,
)


@DATASETS.register_module()
class SkeletonDataset(PoseDataset):
    """:class:`PoseDataset` that checks its file before training.

    The file is a pose pickle, as for :class:`PoseDataset`. It is read by an unpickler that
    allows only arrays and plain containers. Every clip of the split is checked by
    :func:`~hiclr_mmaction.annotations.clip_problems` when it is loaded. The entries
    ``classes`` and ``orientation`` of the file become ``metainfo``.

    A file of aligned clips (``--align`` of the converters) has the entry ``prepared``; the
    pipeline then has no :class:`SkeletonAlign`. It is an error to have both, or to have
    neither if clips differ in length.

    Args:
        ann_file (str): Pose pickle, ``dict(split=..., annotations=[...])``.
        pipeline (list[dict]): Transforms.
        split (str, optional): Name of a split of the file. None: all clips.
        layout (str | dict): The skeleton of the data.
        prepared (bool, optional): The kind of clips that the config expects: stored aligned
            (True) or raw (False). None: as in the file.
        safe (bool): False reads the file as PoseDataset does, which runs any code in it.
        **kwargs: As in :class:`PoseDataset`; ``filter_cfg=dict(labelled=True)`` leaves out
            clips without a label.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file would run code or is damaged, has no such split, a clip
            cannot be used, or file, pipeline and ``prepared`` contradict each other.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: list,
        split: str | None = None,
        layout: str | dict = 'nturgb+d',
        prepared: bool | None = None,
        safe: bool = True,
        **kwargs,
    ) -> None:
        self.layout = get_layout(layout)
        self.prepared = prepared
        self.safe = safe
        self.preparation: Preparation | None = None
        super().__init__(ann_file, pipeline, split=split, **kwargs)

    def full_init(self) -> None:
        """Load the clips; mmengine keeps them as one array that all workers share."""
        super().full_init()
        # The C library keeps freed memory in fragments. Without malloc_trim, the set takes
        # 3.4 times the size of its file, with it 1.1 times.
        if os.name == 'posix' and hasattr(libc := ctypes.CDLL(None), 'malloc_trim'):
            libc.malloc_trim(0)

    def load_data_list(self) -> list[dict]:
        """Load and check the clips of the split."""
        path = Path(self.ann_file)
        if not path.is_file():
            # A set among several is named in `sets` of the config.
            of_several = any(
                getattr(t, 'set_name', None) for t in self.pipeline.transforms
            )
            raise missing_file(self.ann_file, 'sets' if of_several else 'ann_file')
        annotations, splits, head = pose_content(self._read(path), self.ann_file)
        self.preparation = Preparation.read(head.get('prepared'), self.ann_file)
        if head['classes']:
            self._metainfo.setdefault('classes', tuple(head['classes']))
        if head.get('orientation'):
            self._metainfo.setdefault('orientation', head['orientation'])
        inline = 'skeleton' not in self.data_prefix
        if inline and self.split is not None:  # unnamed clips are in no split
            for position, sample in enumerate(annotations):
                if split_name(sample) is None:
                    self._check(sample, position, inline)
        data_list = self._select(annotations, splits)
        counts = Counter(map(split_name, data_list))
        for name, count in counts.items():
            if name is not None and count > 1:
                raise ValueError(
                    f'{self.ann_file}: {count} clips are called {name!r}; give each clip '
                    'a name (frame_dir) that no other has.'
                )
        for position, sample in enumerate(data_list):
            self._check(sample, position, inline)
        shapes = [sample['keypoint'].shape for sample in data_list if inline]
        check_prepared(self, self.ann_file, shapes)
        if inline:
            self._say_untracked(data_list)
        self._add_prefix(data_list)
        return data_list

    def filter_data(self) -> list[dict]:
        """Leave out what ``filter_cfg`` says."""
        super().filter_data()
        return keep_labelled(self)

    def _check(self, sample: dict, position: int, inline: bool) -> None:
        """Check a sample, and give it the types that pipelines expect."""
        if inline:
            classes = self._metainfo.get('classes')
            for problem in clip_problems(sample, self.layout, position, classes):
                raise UnusableClip(problem.kind, f'{self.ann_file}: {problem}')
            sample['keypoint'] = np.asarray(sample['keypoint'])
            sample['total_frames'] = sample['keypoint'].shape[1]
        label = sample_label(sample)
        sample.pop('label', None)
        if label is not None:
            sample['label'] = label

    def _say_untracked(self, data_list: list[dict]) -> None:
        """Log what :class:`SkeletonAlign` will drop and fill."""
        aligns = [t for t in self.pipeline.transforms if isinstance(t, SkeletonAlign)]
        if not aligns or aligns[0].untracked == 'released':
            return
        found: Counter[str] = Counter()
        for sample in data_list:
            sample = dict(sample)
            join_score(sample, self.layout)
            clip = torch.from_numpy(np.asarray(sample['keypoint'], np.float32))
            tracking = track(clip, self.layout, aligns[0].num_person, aligns[0].max_gap)
            counts = {k: v for k, v in tracking.counts().items() if v}
            found.update(counts, clips=bool(counts))
        if found['clips']:
            print_log(
                f'{self.ann_file}, split {self.split!r}: in {found["clips"]} of '
                f'{len(data_list)} clips persons or joints are lost; alignment '
                f'{describe_counts(found)}.',
                logger='current',
            )

    def get_data_info(self, idx: int) -> dict:
        """The clip, with what a pipeline without :class:`SkeletonAlign` needs."""
        if self.safe and 'skeleton' in self.data_prefix:
            data_info = BaseActionDataset.get_data_info(self, idx)
            name = sample_name(data_info)
            data_info.update(
                self._read(Path(self.data_prefix['skeleton'], f'{name}.pkl'))
            )
        else:
            data_info = super().get_data_info(idx)
        if self.preparation is not None:
            data_info.update(self.preparation.keys(self.layout))
        return data_info

    def _read(self, path: Path) -> Any:
        if self.safe:
            return load_pickle(
                path, ', or, if you trust it, let it run by SkeletonDataset(safe=False)'
            )
        return mmengine.load(path, file_format='pkl')

    def _select(
        self, annotations: list[dict], splits: Mapping[str, list[str]]
    ) -> list[dict]:
        """The clips of the split."""
        if self.split is None:
            return annotations
        if self.split not in splits:
            near = difflib.get_close_matches(str(self.split), splits, n=1)
            hint = f' Did you mean {near[0]!r}?' if near else ''
            raise ValueError(
                f'split={self.split!r} is not in {self.ann_file}; it has '
                f'{", ".join(splits) or "none: leave split out to use all clips"}.{hint}'
            )
        for pair, problem in split_overlaps(splits):
            if self.split in pair:
                raise ValueError(f'{self.ann_file}: {problem}')
        names = set(splits[self.split])
        found = [clip for clip in annotations if split_name(clip) in names]
        missing = len(names - {split_name(clip) for clip in found})
        if missing and annotations:
            unknown = f'names {missing} clips that are not in the file'
            example = sample_name(annotations[0])
            text = (
                f'{self.ann_file}: split {self.split!r} {unknown}, which has clips such '
                f'as {example!r}.'
            )
            if not found:
                raise ValueError(f'{text} Write the same names (frame_dir) in both.')
            print_log(text, logger='current', level=logging.WARNING)
        if not found:
            raise ValueError(
                f'{self.ann_file}: split {self.split!r} holds no clip; choose another '
                'split or repair the file.'
            )
        return found

    def _add_prefix(self, data_list: list[dict]) -> None:
        """Put the folder of the videos before the names, as PoseDataset does."""
        for sample in data_list if 'video' in self.data_prefix else ():
            for key in ('filename', 'frame_dir'):
                if key in sample:
                    sample[key] = osp.join(self.data_prefix['video'], sample[key])


def missing_file(file: str, setting: str) -> FileNotFoundError:
    """The error of a file that ``setting`` of the config names."""
    remedy = (
        'name your own files in sets of the config'
        if setting == 'sets'
        else 'set ann_file to where it is'
    )
    return FileNotFoundError(
        f'ann_file={file!r} does not exist (looked in {Path.cwd()}); put the pose pickle '
        f'there, or {remedy}.'
    )


def check_prepared(dataset: Any, where: str, shapes: Iterable[tuple] = ()) -> None:
    """Check that clips that are stored aligned are not mixed up with raw ones.

    Args:
        dataset (BaseActionDataset): With ``preparation`` (what the file says; None: its
            clips are raw), ``prepared`` (what the config says; None: nothing),
            ``layout`` and ``pipeline``.
        where (str): How messages call the file.
        shapes (Iterable[tuple]): ``(M, T, V, C)`` of the clips.

    Raises:
        ValueError: With the remedy.
    """
    stored, expected = dataset.preparation, dataset.prepared
    if expected is not None and expected != (stored is not None):
        raise ValueError(
            f'prepared={expected}, but {where} holds '
            + ('raw clips' if stored is None else f'clips {stored}')
            + '; name the other file, or change prepared and the pipeline: '
            'SkeletonAlign is for raw clips and only for them.'
        )
    transforms = dataset.pipeline.transforms
    aligns = any(isinstance(t, SkeletonAlign) for t in transforms)
    if stored is not None:
        stored.check_layout(dataset.layout, where)
        if aligns:
            raise ValueError(
                f'{where}: the clips are stored {stored}, and SkeletonAlign would align '
                'them again; remove it from the pipeline, or name a file that was made '
                'without --align.'
            )
    # Another project's transform may well make the clips alike.
    elif any(isinstance(t, PackSkeletonViews) for t in transforms) and all(
        isinstance(t, _KEEP_LENGTH) for t in transforms
    ):
        different = set(shapes)
        if len(different) > 1:
            frames = [shape[1] for shape in different]
            raise ValueError(
                f'{where}: the clips are raw ({min(frames)} to {max(frames)} frames, '
                f'{len(different)} shapes) and nothing in the pipeline makes them alike; '
                "begin it with dict(type='SkeletonAlign', ...), or convert the data with "
                '--align.'
            )
