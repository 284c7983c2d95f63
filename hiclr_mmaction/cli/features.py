"""Features of skeleton clips, without a config.

Example:
    python tools/features.py data/poses.pkl features.npz --checkpoint encoder.pth
    python tools/features.py S001C001P001R001A013.skeleton clip.csv features.npz \\
        --checkpoint work_dirs/pretrain/epoch_40.pth
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

import hiclr_mmaction  # noqa: F401  registers the components

from ..annotations.safe_pickle import load_pickle
from ..apis import SkeletonEncoder, extract_features, init_encoder
from ..atomic_write import whole_file
from ..converters import read_clip
from ..evaluation.protocol import read_config
from .common import one_line


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Write features of skeleton clips')
    parser.add_argument(
        'clips',
        nargs='+',
        help='pose pickles (.pkl), of which all clips are taken, or files of one clip '
        'each: .skeleton (NTU), .csv, .npy, .json or .bvh',
    )
    parser.add_argument(
        'out',
        metavar='OUT.npz',
        help='arrays features (N, D), names (N,) and labels (N,), -1: none',
    )
    parser.add_argument(
        '--checkpoint',
        required=True,
        help='of a run, or a file or folder of tools/checkpoint/export.py',
    )
    parser.add_argument('--config', help='config, where the checkpoint has none')
    parser.add_argument('--batch-size', type=int, default=64, help='default: 64')
    parser.add_argument('--device', default='cpu', help='such as cuda (default: cpu)')
    return parser.parse_args(argv)


def read_clips(
    path: Path, encoder: SkeletonEncoder
) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Name, label and contents of each clip in a file."""
    if path.suffix != '.pkl':
        yield path.stem, -1, dict(keypoint=read_clip(path, encoder.layout))
        return
    content = load_pickle(path)
    clips = content.get('annotations') if isinstance(content, Mapping) else content
    if not isinstance(clips, list | tuple) or not clips:
        raise ValueError(f'{path} holds no clips; give a pose pickle, or single clips.')
    for i, clip in enumerate(clips):
        if not isinstance(clip, Mapping) or 'keypoint' not in clip:
            raise ValueError(f'{path}: entry {i} has no keypoint.')
        yield str(clip.get('frame_dir', i)), int(clip.get('label', -1)), clip


def run(args: argparse.Namespace) -> str:
    """Read, compute, write; returns what was done."""
    out = Path(args.out)
    if out.suffix != '.npz' or not out.parent.is_dir():
        raise ValueError(f'{out}: name a .npz file in a folder that is there.')
    if args.config is None:
        encoder = init_encoder(args.checkpoint, device=args.device)
    else:
        config = read_config(args.config)
        encoder = init_encoder(config, args.checkpoint, args.device)
    found = [clip for path in args.clips for clip in read_clips(Path(path), encoder)]
    names, labels, clips = zip(*found, strict=True)
    features = extract_features(encoder, clips, args.batch_size)
    with whole_file(out) as part, part.open('wb') as file:
        np.savez(file, features=features, names=names, labels=labels)
    return f'{out}: features {features.shape} of layout {encoder.layout.name!r}'


def main(argv=None) -> None:
    args = parse_args(argv)
    # mmengine logs the initialisation of every layer.
    MMLogger.get_current_instance().setLevel('WARNING')
    with one_line('error: '):
        print(run(args))
