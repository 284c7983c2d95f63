"""Clips that are stored aligned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from ..skeleton import SkeletonLayout, align_clip, get_layout
from ..skeleton.align import MAX_GAP, check_align_settings, check_shoulders


@dataclass(frozen=True)
class Preparation:
    """How the clips of a file are aligned, from its entry ``prepared``.

    Args:
        layout (str): Name of the skeleton.
        num_frames (int): Frames of each clip.
        num_person (int): Persons of each clip; missing ones are zeros.
        center (int): The joint at the origin.
        shoulders (tuple[int, int] | None): Joints (right, left) turned into the image
            plane. None: 2-D skeletons, which are not turned.
        untracked (str): What was done about frames without a person, as in
            :func:`~hiclr_mmaction.skeleton.align_clip`.
        max_gap (int): Frames up to which a lost person was interpolated, as there.
    """

    layout: str
    num_frames: int
    num_person: int
    center: int
    shoulders: tuple[int, int] | None
    # Those of files of versions that did not say them.
    untracked: str = 'released'
    max_gap: int = MAX_GAP

    @classmethod
    def of(cls, converter: Any, num_frames: int) -> Preparation:
        """For the clips of a converter.

        Raises:
            ValueError: If a number is out of range, or the layout has no shoulders.
        """
        layout = get_layout(converter.layout)
        try:
            check_align_settings(
                num_frames, converter.num_person, converter.untracked, converter.max_gap
            )
        except ValueError as error:
            raise ValueError(f'align={num_frames}: {error}') from None
        turned = layout.coordinates == '3d'
        if turned:
            check_shoulders(layout)
        return cls(
            layout.name,
            num_frames,
            converter.num_person,
            layout.center,
            layout.shoulders if turned else None,
            converter.untracked,
            converter.max_gap,
        )

    @classmethod
    def read(cls, prepared: Any, where: str) -> Preparation | None:
        """From the ``prepared`` of a file; None where the clips are raw.

        Raises:
            ValueError: If it is not what a converter writes.
        """
        if prepared is None:
            return None
        names = [field.name for field in fields(cls)]
        if (
            not isinstance(prepared, Mapping)
            or not set(names[:-2]) <= set(prepared) <= set(names)
            or not isinstance(prepared['layout'], str)
            or not all(isinstance(prepared[name], int) for name in names[1:4])
            or not isinstance(prepared['shoulders'], tuple | list | None)
        ):
            raise ValueError(
                f"{where}: prepared={prepared!r} is not what this version's converters "
                f'write ({", ".join(names)}); convert the data again.'
            )
        shoulders = prepared['shoulders']
        return cls(
            **dict(prepared, shoulders=None if shoulders is None else tuple(shoulders))
        )

    def check_layout(self, layout: SkeletonLayout, where: str) -> None:
        """Check that clips aligned for one layout serve another.

        Raises:
            ValueError: If its centre or shoulders are others.
        """
        turned = layout.coordinates == '3d'
        ours = (layout.center, layout.shoulders if turned else None)
        if ours != (self.center, self.shoulders):
            raise ValueError(
                f'{where}: the clips were aligned for layout {self.layout!r} (center '
                f'{self.center}, shoulders {self.shoulders}), but layout='
                f'{layout.name!r} has center {ours[0]}, shoulders {ours[1]}; set the '
                'layout that the data were made with, or convert them again.'
            )

    def keys(self, layout: SkeletonLayout) -> dict[str, Any]:
        """The keys that :class:`SkeletonAlign` would add to a sample."""
        return dict(
            prepared=str(self),
            total_frames=self.num_frames,
            clip_len=self.num_frames,
            num_clips=1,
            coordinates=layout.coordinates,
        )

    def __str__(self) -> str:
        return (
            f'aligned for layout {self.layout!r}, {self.num_frames} frames, '
            f'{self.num_person} person(s)'
        )


def prepare_clip(
    keypoint: np.ndarray, layout: SkeletonLayout, preparation: Preparation
) -> np.ndarray:
    """Align a clip: the first persons, missing ones as zeros.

    Args:
        keypoint (np.ndarray): Raw ``(M, T, V, 3)``: metres, or pixels and score.
        layout (SkeletonLayout): Its skeleton.
        preparation (Preparation): Frames and persons of the result.

    Returns:
        np.ndarray: float32 ``(num_person, num_frames, V, 3)``.

    Raises:
        ValueError: If the clip cannot be aligned.
    """
    clip = torch.from_numpy(np.asarray(keypoint, dtype=np.float32))
    return align_clip(
        clip,
        layout,
        preparation.num_frames,
        preparation.num_person,
        preparation.untracked,
        preparation.max_gap,
    ).numpy()
