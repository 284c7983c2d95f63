"""One clip out of any file that the converters read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..annotations.clip_checks import check_keypoint, join_score, sample_name
from ..annotations.safe_pickle import load_pickle
from ..skeleton import SkeletonLayout, get_layout
from ..skeleton.mapping import map_joints
from ..skeleton.orientation import Orientation
from .bvh import layout_of, parse_bvh
from .converter import require_regular
from .forms import READERS, Options, read_form
from .ntu import first_two, parse_skeleton

SUFFIXES = ('.skeleton', *READERS, '.bvh', '.pkl')


def read_clip(
    path: str | Path,
    layout: str | dict | SkeletonLayout = 'nturgb+d',
    index: int = 0,
    image_size: Sequence[float] | None = None,
    num_person: int = 2,
    up: str | None = None,
    scale: float | None = None,
    usual: Orientation | None = None,
) -> np.ndarray:
    """Read a clip from a file, by its suffix.

    Args:
        path (str | Path): NTU's ``.skeleton``; ``.csv``, ``.npy`` or ``.json`` as
            :class:`CustomConverter` reads them; ``.bvh``; or a pose pickle, ``.pkl``.
        layout (str | dict | SkeletonLayout): The skeleton that the clip must have.
        index (int): Which clip of a pose pickle.
        image_size (Sequence[float], optional): Width and height of the image, if the
            coordinates of a 2-D skeleton are fractions of it.
        num_person (int): Number of persons kept from a JSON file.
        up (str, optional): Up axis of the file. None: as stored in the file, or as in
            ``usual``, or else estimated from heads and feet.
        scale (float, optional): Metres per unit. None: as stored in the file, or as in
            ``usual``, unless only another unit gives a plausible height.
        usual (Orientation, optional): The orientation of similar files.

    Returns:
        np.ndarray: ``(M, T, V, C)``, in 2-D with the scores as third coordinate.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the suffix is unknown, the file cannot be read, has no such clip or
            another skeleton, or a setting does not fit it.
    """
    path, layout = Path(path), get_layout(layout)
    require_regular(path)
    if layout.coordinates == '2d' and (up or scale) is not None:
        raise ValueError(f'up={up}, scale={scale}, but layout {layout.name!r} is 2d.')
    suffix = path.suffix.lower()
    name = path.name
    sample: dict[str, Any]
    unit: float | None = None  # known: metres with y up
    try:
        match suffix:
            case '.skeleton':
                sample = dict(keypoint=first_two(parse_skeleton(path.read_bytes())))
            case _ if suffix in READERS:
                options = Options(layout, num_person, image_size)
                sample, unit = read_form(path, options).sample(options), 1.0
            case '.bvh':
                sample, unit = dict(keypoint=_of_bvh(path, layout)), 0.01
            case '.pkl':
                sample = _of_pickle(path, index)
                name = sample_name(sample)
            case _:
                raise ValueError(
                    f'the suffix {suffix!r} is unknown; known are {", ".join(SUFFIXES)}.'
                )
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    if unit is None:
        usual = Orientation()
    elif usual is not None:
        unit = usual.scale
    if layout.coordinates == '3d':
        orientation = Orientation.find(
            [sample['keypoint']],
            layout,
            up or sample.get('up') or (usual.up if usual else None),
            scale or sample.get('scale') or (1.0 if unit is None else None),
            unit or 1.0,
        )
        sample = dict(sample, keypoint=orientation.apply(sample['keypoint']))
    join_score(sample, layout)
    check_keypoint(sample['keypoint'], layout, name)
    return np.asarray(sample['keypoint'], np.float32)


def _of_bvh(path: Path, layout: SkeletonLayout) -> np.ndarray:
    bvh = parse_bvh(path.read_text(encoding='utf-8-sig', errors='replace'))
    x, own = bvh.positions()[None], layout_of(bvh)
    if list(layout.joints) != own['joints']:
        x = map_joints(torch.from_numpy(x), own, layout).numpy()
    return x


def _of_pickle(path: Path, index: int) -> dict:
    content = load_pickle(path)
    clips = content.get('annotations') if isinstance(content, Mapping) else content
    if not isinstance(clips, list) or not all(
        isinstance(clip, Mapping) and 'keypoint' in clip for clip in clips
    ):
        raise ValueError(
            'not a pose pickle, which is dict(split=..., annotations=[{keypoint: ...}]).'
        )
    if not 0 <= index < len(clips):
        raise ValueError(f'index={index}: it has clips 0 to {len(clips) - 1}.')
    return dict(clips[index])
