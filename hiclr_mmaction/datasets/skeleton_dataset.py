"""MMAction2's pose dataset, checked before training starts."""

from __future__ import annotations

import difflib
from pathlib import Path

from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS

from ..skeleton import get_layout
from .checks import check_keypoint, sample_name


@DATASETS.register_module()
class SkeletonDataset(PoseDataset):
    """:class:`PoseDataset` that says what is wrong with a file before training does.

    The file is the same pose pickle. Every clip of the split is checked as it is
    loaded: joints against the layout, at least one person and one frame, no NaN.

    Args:
        ann_file (str): Pose pickle, ``dict(split=..., annotations=[...])``.
        pipeline (list[dict]): Transforms.
        split (str, optional): Which of the file's splits. None: all clips.
        layout (str | dict): The skeleton of the data.
        **kwargs: As in :class:`PoseDataset`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file has no such split, or a clip cannot be used.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: list,
        split: str | None = None,
        layout: str | dict = 'nturgb+d',
        **kwargs,
    ) -> None:
        self.layout = get_layout(layout)
        super().__init__(ann_file, pipeline, split=split, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Load and check the clips of the split."""
        path = Path(self.ann_file)
        if not path.is_file():
            raise FileNotFoundError(
                f'ann_file={self.ann_file!r} does not exist (looked in {Path.cwd()}); '
                'put the pose pickle there, or set ann_file to where it is.'
            )
        try:
            data_list = super().load_data_list()
        except KeyError as error:
            raise self._explain(error) from error
        if not data_list:
            raise ValueError(
                f'{self.ann_file}: split {self.split!r} holds no clip; choose another '
                'split or repair the file.'
            )
        for sample in data_list:
            check_keypoint(sample['keypoint'], self.layout, sample_name(sample))
        return data_list

    def _explain(self, error: KeyError) -> Exception:
        """Tell a missing split from a file of another kind."""
        import mmengine

        content = mmengine.load(self.ann_file)
        splits = list(content.get('split', {})) if isinstance(content, dict) else []
        if not splits:
            return ValueError(
                f'{self.ann_file} has no {error}: it is no pose pickle, which is '
                "dict(split={name: [frame_dir, ...]}, annotations=[{'frame_dir': ..., "
                "'keypoint': ..., 'label': ...}, ...])."
            )
        near = difflib.get_close_matches(str(self.split), splits, n=1)
        hint = f' Did you mean {near[0]!r}?' if near else ''
        return ValueError(
            f'split={self.split!r} is not in {self.ann_file}; it has '
            f'{", ".join(splits)}.{hint}'
        )
