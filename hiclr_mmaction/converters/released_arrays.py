"""The arrays of CrosSCLR, AimCLR and HiCLR, and of 2s-AGCN, both ways.

A split is two files: ``train_position.npy`` (2s-AGCN: ``train_data_joint.npy``), float32
``(N, 3, T, V, M)``, and ``train_label.pkl``, a pair of the clips' names and their labels.
The ``frame50`` arrays are aligned; raw ones have 300 frames, zeros after the end of each
clip. Those of 2s-AGCN have z up.
"""

from __future__ import annotations

import operator
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..annotations.prepared import Preparation
from ..annotations.safe_pickle import load_pickle
from ..atomic_write import whole_file
from ..skeleton import SkeletonLayout, get_layout
from .converter import Clip, SkeletonConverter, stamp
from .ntu import parse_ntu_name

RAW_FRAMES = 300
_JOINTS = ('_position', '_data', '_data_joint')  # endings of arrays of joints


class HiCLRArrayConverter(SkeletonConverter):
    """The clips of the arrays of a folder; each pair of files is a split.

    A clip that is in several splits (of several protocols) is read from the first.

    Args:
        folder (str | Path): Where ``{split}_position.npy`` and ``{split}_label.pkl`` are.
        layout (str | dict): The skeleton.

    Raises:
        ValueError: If there is no pair, or one that does not fit together.
    """

    find_orientation = True

    def __init__(
        self, folder: str | Path, layout: str | dict = 'nturgb+d-stgcn'
    ) -> None:
        self.folder = str(folder)
        self.layout = layout
        self._splits: dict[str, tuple[str, str]] = {}
        self._members: dict[str, set[str]] = {}
        prepared = set()
        for path in sorted(Path(folder).glob('*.npy')):
            if not path.stem.endswith(_JOINTS):
                continue  # other streams of the same clips
            label_file = find_label_file(path)
            if label_file.is_file():
                name = label_file.name.removesuffix('_label.pkl')
                self._splits[name] = (str(path), str(label_file))
                array = open_array(path, get_layout(layout))
                prepared.add(find_preparation(array, get_layout(layout)))
        if not self._splits:
            raise ValueError(
                f'{folder} has no pair such as train_position.npy, train_label.pkl.'
            )
        if len(prepared) > 1:
            raise ValueError(
                f'{folder}: the arrays of {", ".join(self._splits)} are not alike (raw or '
                'aligned, frames, persons); convert them one by one.'
            )
        self.preparation = prepared.pop()

    def clips(self) -> Iterator[Clip]:
        """All clips, split by split."""
        self._members.clear()
        seen: dict[str, int] = {}
        for name, files in self._splits.items():
            array = open_array(files[0], get_layout(self.layout))
            names, labels = read_labels(files[1], len(array))
            for row, (clip, label) in enumerate(zip(names, labels, strict=True)):
                if seen.setdefault(clip, label) != label:
                    raise ValueError(
                        f'{files[1]}: clip {clip!r} has label {label}, but {seen[clip]} '
                        'in another split; convert the splits one by one.'
                    )
                if clip not in self._members:
                    yield Clip(clip, files, (row, label))
                self._members.setdefault(clip, set()).add(name)

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read one row; what is padded is cut off."""
        row, label = clip.part
        array = open_array(clip.files[0], get_layout(self.layout))
        keypoint = np.array(array[row].transpose(3, 1, 2, 0))
        if self.preparation is None:
            keypoint = cut_padding(keypoint)
        numbers = parse_ntu_name(clip.id) or {}
        numbers.pop('action', None)
        return dict(keypoint=keypoint, label=label, **numbers)

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """One for each pair of files."""
        return {
            name: [
                s['frame_dir'] for s in samples if name in self._members[s['frame_dir']]
            ]
            for name in self._splits
        }


def cut_padding(keypoint: np.ndarray) -> np.ndarray:
    """Cut off the zeros after the last frame with a person, of ``(M, T, V, C)``."""
    tracked = np.flatnonzero(keypoint.any(axis=(0, 2, 3)))
    return keypoint[:, : tracked[-1] + 1 if len(tracked) else 1]


def find_label_file(data_file: str | Path) -> Path:
    """``train_label.pkl`` for ``train_position.npy``, as the projects name them."""
    path = Path(data_file)
    split = re.sub('_(position|motion|bone|data|data_joint)$', '', path.stem)
    return path.with_name(f'{split}_label.pkl')


@lru_cache(maxsize=8)
def _open(state: tuple) -> np.memmap:
    path = state[0]
    try:
        return np.load(path, mmap_mode='r')
    # numpy's reader of headers fails in many ways.
    except Exception as error:
        raise ValueError(
            f'{path} is truncated or not an array ({error}); get or make it again.'
        ) from error


def open_array(path: str | Path, layout: SkeletonLayout) -> np.memmap:
    """Map an array of clips into memory.

    Returns:
        np.memmap: ``(N, 3, T, V, M)``, read-only.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such an array, or of another skeleton.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path} does not exist; put the array there.')
    array = _open(stamp(path))
    shape = array.shape
    if array.ndim != 5 or shape[1] != 3 or array.dtype.kind != 'f':
        raise ValueError(
            f'{path} holds {array.dtype} {shape}; it should be an array of floats (clips, '
            '3, frames, joints, persons).'
        )
    if shape[3] != layout.num_joints:
        raise ValueError(
            f'{path} has {shape[3]} joints, but layout {layout.name!r} has '
            f'{layout.num_joints}; set the layout that the data were made with.'
        )
    return array


def read_labels(path: str | Path, num_clips: int) -> tuple[list[str], list[int]]:
    """Read a label pickle. The ``.skeleton`` of released names is left out.

    Raises:
        ValueError: If it is not a pair of names and labels, one for each clip.
    """
    content = load_pickle(path)
    if not (isinstance(content, (tuple, list)) and len(content) == 2):
        raise ValueError(f'{path} is not a pair (names, labels).')
    try:
        names = [str(name).removesuffix('.skeleton') for name in content[0]]
        labels = [operator.index(label) for label in content[1]]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'{path} is not a pair of names and whole numbers ({error}).'
        ) from error
    if not len(names) == len(labels) == num_clips:
        raise ValueError(
            f'{path} has {len(names)} names and {len(labels)} labels for an array of '
            f'{num_clips} clips; take the pair that was made together.'
        )
    return names, labels


def find_preparation(array: np.ndarray, layout: SkeletonLayout) -> Preparation | None:
    """How the clips of an array are aligned: their centre is at the origin then.

    Returns:
        Preparation | None: None for raw clips.
    """
    first = np.asarray(array[:16])
    if not first.any() or np.abs(first[:, :, :, layout.center]).max() > 1e-4:
        return None
    _, _, frames, _, persons = array.shape
    return Preparation(layout.name, frames, persons, layout.center, layout.shoulders)


def write_hiclr_arrays(
    ann_file: str | Path, folder: str | Path, overwrite: bool = False
) -> dict[str, tuple[int, ...]]:
    """Write every split of a pose pickle as the released projects' pair of files.

    Prepared clips are stored as they are, raw ones padded with zeros to 300 frames and
    two persons.

    Args:
        ann_file (str | Path): Pose pickle.
        folder (str | Path): Where ``{split}_position.npy`` and ``{split}_label.pkl`` go.
        overwrite (bool): Whether older files may be replaced.

    Returns:
        dict: The shape of each split's array.

    Raises:
        FileExistsError: If a file is there and ``overwrite`` is false.
        ValueError: If the file is not a pose pickle, or a clip does not fit.
    """
    splits = read_splits(ann_file)
    for name in splits.clips:
        for path in _pair(folder, name):
            if path.exists() and not overwrite:
                raise FileExistsError(f'{path} exists; set overwrite (--overwrite).')
    for name, clips in splits.clips.items():
        data_file, label_file = _pair(folder, name)
        with whole_file(data_file) as temporary:
            shape = splits.shape_of(clips)
            array = np.lib.format.open_memmap(
                temporary, mode='w+', dtype=np.float32, shape=shape
            )
            for row, clip in enumerate(clips):
                array[row] = splits.pad(clip).transpose(3, 1, 2, 0)
            array.flush()
            del array
        pair = ([c['frame_dir'] for c in clips], [int(c['label']) for c in clips])
        with whole_file(label_file) as temporary:
            temporary.write_bytes(pickle.dumps(pair, protocol=4))
    return {name: splits.shape_of(clips) for name, clips in splits.clips.items()}


@dataclass
class PickleSplits:
    """The clips of a pose pickle that go into arrays, all of one shape.

    Attributes:
        clips (dict[str, list[dict]]): The annotations of each split that has any.
        num_frames, num_person, num_joints (int): Those of the arrays.
    """

    clips: dict[str, list[dict]]
    num_frames: int
    num_person: int
    num_joints: int

    def shape_of(self, clips: Sequence) -> tuple[int, ...]:
        """``(N, 3, T, V, M)``."""
        return (len(clips), 3, self.num_frames, self.num_joints, self.num_person)

    def pad(self, clip: Mapping[str, Any]) -> np.ndarray:
        """``(M, T, V, 3)`` with zeros after the clip's end and for missing persons."""
        keypoint = np.asarray(clip['keypoint'])[: self.num_person]
        m, t, v, c = keypoint.shape
        if t > self.num_frames or (v, c) != (self.num_joints, 3):
            raise ValueError(
                f'clip {clip["frame_dir"]!r} has (frames, joints, coordinates) '
                f'{(t, v, c)}, which does not fit into '
                f'{(self.num_frames, self.num_joints, 3)}; '
                'convert the data with --align, or leave the clip out.'
            )
        out = np.zeros((self.num_person, self.num_frames, v, 3), np.float32)
        out[:m, :t] = keypoint
        return out


def read_splits(ann_file: str | Path) -> PickleSplits:
    """Read the splits of a pose pickle; raw clips are to have 300 frames, two persons.

    Raises:
        ValueError: If the file is not a pose pickle, or a clip is missing or has no label.
    """
    content = load_pickle(ann_file)
    if not isinstance(content, dict) or not {'split', 'annotations'} <= set(content):
        raise ValueError(
            f'{ann_file} is not a pose pickle, so it has no splits to write.'
        )
    prepared = Preparation.read(content.get('prepared'), str(ann_file))
    clips = {clip['frame_dir']: clip for clip in content['annotations']}
    splits = {name: names for name, names in content['split'].items() if len(names)}
    for name, names in splits.items():
        for clip in names:
            if clips.get(clip, {}).get('label') is None:
                what = 'label' if clip in clips else 'annotation'
                raise ValueError(
                    f'{ann_file}: clip {clip!r} of split {name!r} has no {what}; '
                    'arrays need one, so convert it again with labels.'
                )
    if not splits:
        raise ValueError(f'{ann_file} has no split with clips, so nothing to write.')
    first = clips[next(iter(splits.values()))[0]]
    return PickleSplits(
        {name: [clips[clip] for clip in names] for name, names in splits.items()},
        RAW_FRAMES if prepared is None else prepared.num_frames,
        2 if prepared is None else prepared.num_person,
        np.shape(first['keypoint'])[2],
    )


def _pair(folder: str | Path, split: str) -> tuple[Path, Path]:
    return Path(folder, f'{split}_position.npy'), Path(folder, f'{split}_label.pkl')
