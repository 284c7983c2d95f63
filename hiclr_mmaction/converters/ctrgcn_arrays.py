"""The ``.npz`` of CTR-GCN, such as ``NTU60_CS.npz``, both ways.

It holds ``x_train`` and ``x_test``, float32 ``(N, T, M * V * 3)`` with zeros after the
end of each clip and for missing persons, and ``y_train`` and ``y_test``, one-hot ``(N,
classes)``. Clips have no names.
"""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_write import whole_file
from ..skeleton import get_layout
from .converter import Clip, SkeletonConverter, memory_limit, stamp
from .released_arrays import cut_padding, read_splits

# The protocols by the end of the file's name.
_PROTOCOLS = {'CS': 'xsub', 'CV': 'xview', 'CSub': 'xsub', 'CSet': 'xset'}
_PARTS = {'train': 'train', 'test': 'val'}


class CTRGCNConverter(SkeletonConverter):
    """The clips of an ``.npz``, called ``train_000000``, ``test_000000``, ...

    The name of the file determines the names of the splits: ``xsub_train`` and ``xsub_val``
    for ``NTU60_CS.npz``, and so on; otherwise ``train`` and ``val``.

    Args:
        path (str | Path): The file.
        layout (str | dict): The skeleton.

    Raises:
        ValueError: If it is not such a file, or holds another skeleton.
    """

    find_orientation = True

    def __init__(self, path: str | Path, layout: str | dict = 'nturgb+d') -> None:
        self.path = str(path)
        self.layout = layout
        joints = get_layout(layout).num_joints
        self._labels = {}
        for part in _PARTS:
            clips = read_member(self.path, f'x_{part}')
            labels = read_member(self.path, f'y_{part}')
            if clips.ndim != 3 or not clips.size or clips.shape[2] % (3 * joints):
                raise ValueError(
                    f'{path}: x_{part} has shape {clips.shape}, not (clips, frames, a '
                    f'multiple of 3 x {joints} joints); set the layout (--layout) that it '
                    'was made with.'
                )
            if labels.ndim not in (1, 2) or len(labels) != len(clips):
                raise ValueError(
                    f'{path}: y_{part} has shape {labels.shape} for {len(clips)} clips; '
                    'it should be (clips, classes).'
                )
            one_hot = labels.ndim == 2
            self._labels[part] = np.array(labels.argmax(1) if one_hot else labels, int)

    def clips(self) -> Iterator[Clip]:
        """All clips, those of training first."""
        for part, labels in self._labels.items():
            for row, label in enumerate(labels.tolist()):
                yield Clip(f'{part}_{row:06d}', (self.path,), (part, row, label))

    def read(self, clip: Clip) -> dict[str, Any]:
        """Read one row, without padding."""
        part, row, label = clip.part
        rows = np.asarray(read_member(self.path, f'x_{part}')[row])
        joints = get_layout(self.layout).num_joints
        keypoint = rows.reshape(len(rows), -1, joints, 3).transpose(1, 0, 2, 3)
        return dict(keypoint=cut_padding(keypoint), label=label)

    def splits(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """The protocol's training and evaluation clips."""
        prefix = f'{protocol}_' if (protocol := _protocol(self.path)) else ''
        names = [sample['frame_dir'] for sample in samples]
        return {
            f'{prefix}{split}': [n for n in names if n.startswith(f'{part}_')]
            for part, split in _PARTS.items()
        }


def write_ctrgcn_arrays(
    ann_file: str | Path, path: str | Path, overwrite: bool = False
) -> dict[str, tuple[int, ...]]:
    """Write two splits of a pose pickle as CTR-GCN's ``.npz``.

    Args:
        ann_file (str | Path): Pose pickle. Prepared clips are stored as they are, raw
            ones padded with zeros to 300 frames and two persons.
        path (str | Path): The file. Its name chooses the protocol: ``xsub`` for
            ``NTU60_CS.npz``. For other names the pickle must have only one protocol.
        overwrite (bool): Whether an existing file is replaced.

    Returns:
        dict: The shape of each array.

    Raises:
        FileExistsError: If the file is there and ``overwrite`` is false.
        ValueError: If the pickle has no such splits, or a clip does not fit.
    """
    if Path(path).exists() and not overwrite:
        raise FileExistsError(f'{path} exists; set overwrite (--overwrite).')
    splits = read_splits(ann_file)
    prefix = _prefix(splits.clips, path)
    clips = {part: splits.clips[prefix + split] for part, split in _PARTS.items()}
    labels = {part: np.array([int(c['label']) for c in clips[part]]) for part in _PARTS}
    num_classes = 1 + max(int(values.max()) for values in labels.values())
    shapes = {}
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, 'w') as archive:
        for part, samples in clips.items():
            _, _, frames, joints, persons = splits.shape_of(samples)
            shape = (len(samples), frames, persons * joints * 3)
            header = dict(descr='<f4', fortran_order=False, shape=shape)
            with archive.open(f'x_{part}.npy', 'w', force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, header)
                for sample in samples:
                    file.write(splits.pad(sample).transpose(1, 0, 2, 3).tobytes())
            with archive.open(f'y_{part}.npy', 'w') as file:
                one_hot = np.eye(num_classes, dtype=np.float32)[labels[part]]
                np.lib.format.write_array(file, one_hot)
            shapes.update({f'x_{part}': shape, f'y_{part}': one_hot.shape})
    return shapes


def _protocol(path: str | Path) -> str:
    return _PROTOCOLS.get(Path(path).stem.rpartition('_')[2], '')


def _prefix(splits: Mapping[str, Any], path: str | Path) -> str:
    """The common prefix of the names of the two splits to write."""
    found = [n.removesuffix('train') for n in splits if n.endswith('train')]
    found = [prefix for prefix in found if f'{prefix}val' in splits]
    wanted = _protocol(path)
    chosen = [p for p in found if p == f'{wanted}_'] if wanted else found
    if len(chosen) != 1:
        raise ValueError(
            f'{path}: the splits {", ".join(splits)} have no single pair NAME_train, '
            f'NAME_val for this file name; end the name with one of '
            f'{", ".join(f"_{end} ({name})" for end, name in _PROTOCOLS.items())}.'
        )
    return chosen[0]


def read_member(path: str | Path, name: str) -> np.ndarray:
    """An array of an ``.npz``, mapped into memory if it is not compressed.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, holds no such array of numbers, or would take far
            more memory than its file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path} does not exist; put the file there.')
    try:
        return _read_member(stamp(path), name)
    # The readers of archives and of array headers fail in many ways.
    except Exception as error:
        raise ValueError(
            f'{path}: {name} cannot be read ({error}); it should be an .npz of CTR-GCN '
            'with x_train, y_train, x_test, y_test.'
        ) from error


@lru_cache(maxsize=4)
def _read_member(state: tuple, name: str) -> np.ndarray:
    path = state[0]
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f'{name}.npy')
        with archive.open(info) as file:
            version = np.lib.format.read_magic(file)
            if version == (1, 0):
                shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            else:
                shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
            start = file.tell()
            size = math.prod(shape) * dtype.itemsize
            if dtype.kind not in 'fiu' or start + size != info.file_size:
                raise ValueError(f'{dtype} {shape} in {info.file_size} bytes')
            if info.compress_type != zipfile.ZIP_STORED or fortran:
                if size > memory_limit(info.compress_size):
                    raise ValueError(
                        f'it would take {size / 2**20:,.0f} MB; save it uncompressed, by '
                        'numpy.savez'
                    )
                values = np.frombuffer(file.read(), dtype)
                return (
                    values.reshape(shape[::-1]).T if fortran else values.reshape(shape)
                )
    with open(path, 'rb') as raw:
        raw.seek(info.header_offset + 26)  # the lengths of its name and extra field
        start += info.header_offset + 30 + sum(struct.unpack('<HH', raw.read(4)))
    return np.memmap(path, dtype, 'r', start, shape)
