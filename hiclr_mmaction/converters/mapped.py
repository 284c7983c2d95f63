"""Any converter, its clips given the joints of another layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..annotations.clip_checks import check_keypoint, join_score
from ..skeleton import get_layout, measured_joints
from ..skeleton.mapping import joint_mapping, map_joints
from .converter import Clip, SkeletonConverter


class MappedConverter(SkeletonConverter):
    """The clips of a converter, mapped to another layout of the same dimension.

    Args:
        converter (SkeletonConverter): Reads the clips.
        layout (str | dict): The skeleton of the result.

    Raises:
        ValueError: If the layout cannot be made of the converter's, or its clips are
            aligned already.
    """

    def __init__(self, converter: SkeletonConverter, layout: str | dict) -> None:
        source, target = get_layout(converter.layout), get_layout(layout)
        if converter.preparation is not None:
            raise ValueError(
                f'to_layout={target.name!r}, but the clips are {converter.preparation} '
                'already; map the raw clips (leave out --to-layout here).'
            )
        if source.coordinates != target.coordinates:
            raise ValueError(
                f'to_layout={target.name!r} is {target.coordinates}, but the clips are '
                f'{source.coordinates} ({source.name}); choose a layout of the same.'
            )
        joint_mapping(source, target)
        self._converter = converter
        self._source, self._target = source, target
        self.layout = layout
        for name in (
            'num_person', 'max_frames', 'classes', 'untracked', 'max_gap',
            'find_orientation', 'unit',
        ):  # fmt: skip
            setattr(self, name, getattr(converter, name))

    def clips(self) -> Iterable[Clip]:
        """Those of the converter."""
        return self._converter.clips()

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read and map a clip."""
        sample = self._converter.read(clip)
        join_score(sample, self._source)
        check_keypoint(sample['keypoint'], self._source, clip.id)
        x = torch.from_numpy(np.asarray(sample['keypoint'], np.float64))
        measured = measured_joints(x, self._source)
        mapped = map_joints(x, self._source, self._target, measured)
        return dict(sample, keypoint=mapped.numpy())

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Those of the converter."""
        return self._converter.splits(samples)

    def remarks(self, clips: Sequence[Clip]) -> list[str]:
        """The remarks of the converter, and the joints computed from others."""
        made = joint_mapping(self._source, self._target).made
        mapped = f'{len(made)} joints made of others: {", ".join(made)}'
        return [*self._converter.remarks(clips), *[mapped] * bool(made)]

    def settings(self) -> dict[str, Any]:
        """The settings of the converter, and the layout."""
        return dict(self._converter.settings(), to_layout=self.layout)
