"""The arrays of CrosSCLR, AimCLR and HiCLR, read in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mmaction.datasets import BaseActionDataset
from mmaction.registry import DATASETS

from ..annotations.clip_checks import check_keypoint, sample_label
from ..annotations.prepared import Preparation
from ..converters.released_arrays import (
    find_label_file,
    find_preparation,
    open_array,
    read_labels,
)
from ..skeleton import get_layout
from .labels import keep_labelled
from .skeleton_dataset import check_prepared


@DATASETS.register_module()
class HiCLRNpyDataset(BaseActionDataset):
    """The released projects' pair of files: an array of clips and a pickle of labels.

    The array is memory-mapped: start-up reads only its header, and all workers share the
    pages in memory. Each item has ``keypoint`` (float32 ``(M, T, V, 3)``),
    ``label``, ``frame_dir`` and ``total_frames``.

    If the layout's centre is at the origin, the clips are already aligned (the ``frame50``
    arrays), and the pipeline has no :class:`SkeletonAlign`. Raw clips, padded with zeros at
    the end, need it.

    Args:
        data_file (str): ``.npy``, ``(N, 3, T, V, M)``, such as ``train_position.npy``.
        pipeline (list[dict | Callable]): Transforms.
        label_file (str, optional): Pickle of names and labels. None:
            ``train_label.pkl`` beside ``train_position.npy``, and so on.
        layout (str | dict): The skeleton.
        prepared (bool, optional): The kind of clips that the config expects: aligned (True)
            or raw (False). None: as in the array.
        test_mode (bool): As in MMAction2.
        **kwargs: As in :class:`BaseActionDataset`;
            ``filter_cfg=dict(labelled=True)`` leaves out clips without a label.

    Raises:
        FileNotFoundError: If one of the files is missing.
        ValueError: If the array has another shape or not as many clips as there are
            labels, or if array, pipeline and ``prepared`` contradict each other.
    """

    def __init__(
        self,
        data_file: str,
        pipeline: list[dict | Callable],
        label_file: str | None = None,
        layout: str | dict = 'nturgb+d-stgcn',
        prepared: bool | None = None,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        self.layout = get_layout(layout)
        self.prepared = prepared
        self.data_file = str(data_file)
        self.preparation: Preparation | None = None
        self._array: np.memmap | None = None
        super().__init__(
            str(label_file or find_label_file(data_file)),
            pipeline=pipeline,
            test_mode=test_mode,
            modality='Pose',
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Names and labels; the clips stay in the file."""
        if not Path(self.ann_file).is_file():
            raise FileNotFoundError(
                f'label_file={self.ann_file!r} does not exist; set label_file.'
            )
        array = open_array(self.data_file, self.layout)
        names, labels = read_labels(self.ann_file, len(array))
        if not names:
            raise ValueError(f'{self.data_file} holds no clip.')
        self.preparation = find_preparation(array, self.layout)
        check_prepared(self, self.data_file)
        clips: list[dict] = [
            dict(frame_dir=name, label=label, row=row)
            for row, (name, label) in enumerate(zip(names, labels, strict=True))
        ]
        for clip in clips:
            if sample_label(clip) is None:
                del clip['label']
        return clips

    def filter_data(self) -> list[dict]:
        """Leave out what ``filter_cfg`` says."""
        return keep_labelled(self)

    def get_data_info(self, idx: int) -> dict:
        """Read one clip."""
        data_info = super().get_data_info(idx)
        if self._array is None:
            self._array = open_array(self.data_file, self.layout)
        clip = self._array[data_info.pop('row')].transpose(3, 1, 2, 0)
        keypoint = np.array(clip, dtype=np.float32, order='C')
        check_keypoint(keypoint, self.layout, data_info['frame_dir'])
        data_info.update(keypoint=keypoint, total_frames=keypoint.shape[1])
        if self.preparation is not None:
            data_info.update(self.preparation.keys(self.layout))
        return data_info

    def __getstate__(self) -> dict:
        # A memory map would be pickled as the whole array.
        return dict(self.__dict__, _array=None)
