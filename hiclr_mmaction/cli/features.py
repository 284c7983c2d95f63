"""Features of skeleton clips, without a config.

Example:
    python tools/features.py data/poses.pkl features.npz
    python tools/features.py S001C001P001R001A013.skeleton clip.csv features.npz \\
        --checkpoint work_dirs/pretrain/epoch_40.pth
"""

import argparse
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from ..annotations.safe_pickle import load_pickle
from ..apis import extract_features, init_encoder
from ..apis.features import pickled_clips
from ..atomic_write import whole_file
from ..skeleton import checked_pool, get_layout
from ..zoo import DEFAULT
from .values import add_device, parse_layout


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Write features of skeleton clips')
    parser.add_argument(
        'clips',
        nargs='+',
        help='pose pickles (.pkl), or files with one clip each: .skeleton (NTU), .csv, '
        '.npy, .json or .bvh',
    )
    parser.add_argument(
        'out',
        metavar='OUT.npz',
        help='arrays features (N, D), names (N,) and labels (N,), -1: none',
    )
    parser.add_argument(
        '--checkpoint',
        default=DEFAULT,
        help='of a run, a file or folder of tools/checkpoint/export.py, or an encoder of '
        f'the zoo by its name (default: {DEFAULT})',
    )
    parser.add_argument(
        '--layout',
        type=parse_layout,
        help="skeleton of the clips, which are mapped to the encoder's (default: what a "
        "pickle says, or the encoder's own)",
    )
    parser.add_argument(
        '--pool-time',
        type=int,
        help='segments of time that are kept apart (default: as in training)',
    )
    parser.add_argument(
        '--pool-joints',
        choices=['yes', 'no'],
        help='whether joints are kept apart (default: as in training)',
    )
    parser.add_argument(
        '--pool-std',
        choices=['yes', 'no'],
        help='whether the standard deviation over time is added (default: as in training)',
    )
    parser.add_argument(
        '--pool-layers',
        nargs='*',
        metavar='NAME',
        help='blocks of the backbone whose features are added, such as gcn.1; without a '
        'name: none (default: as in training)',
    )
    parser.add_argument('--config', help='config, where the checkpoint has none')
    parser.add_argument('--batch-size', type=int, default=64, help='default: 64')
    add_device(parser)
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT.npz if it exists'
    )
    return parser.parse_args(argv)


def read_clips(
    path: Path, encoder: Any, layout: str | dict | None
) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Name, label and contents of each clip in a file."""
    if path.suffix != '.pkl':
        from ..converters import read_clip  # more packages than a pickle needs

        own = encoder.layout if layout is None else get_layout(layout)
        if layout is None and path.suffix == '.skeleton' and own.num_joints != 25:
            own = get_layout('nturgb+d')
        clip = dict(keypoint=read_clip(path, own), layout=own, frame_dir=str(path))
        yield path.stem, -1, clip
        return
    clips = pickled_clips(load_pickle(path), str(path))
    if not clips:
        raise ValueError(f'{path} holds no clips; give a pose pickle, or single clips.')
    for i, clip in enumerate(clips):
        name, label = str(clip.get('frame_dir', i)), clip.get('label')
        if not isinstance(label, int | np.integer | NoneType):
            raise ValueError(
                f'{path}: label={label!r} of {name} is not a whole number.'
            )
        label = -1 if label is None else int(label)
        yield name, label, dict(clip, frame_dir=f'{path}: {name}')


def run(args: argparse.Namespace) -> str:
    """Read, compute, write; returns what was done."""
    out = Path(args.out)
    if out.suffix != '.npz' or not out.parent.is_dir():
        raise ValueError(f'{out}: name a .npz file in a folder that is there.')
    if out.exists() and not args.overwrite:
        raise FileExistsError(f'{out} exists; name another file, or use --overwrite.')
    if args.config is None:
        encoder = init_encoder(args.checkpoint, device=args.device)
    else:
        from ..evaluation.protocol import read_config

        config = read_config(args.config)
        encoder = init_encoder(config, args.checkpoint, args.device)
    words = dict(yes=True, no=False)
    asked = dict(
        time=args.pool_time,
        joints=words.get(args.pool_joints),
        std=words.get(args.pool_std),
        layers=args.pool_layers,
    )
    asked = {k: v for k, v in asked.items() if v is not None}
    encoder.pool = checked_pool(encoder.pool | asked)
    found = [
        clip
        for path in args.clips
        for clip in read_clips(Path(path), encoder, args.layout)
    ]
    names, labels, clips = zip(*found, strict=True)
    features = extract_features(encoder, clips, args.batch_size, args.layout)
    with whole_file(out) as part, part.open('wb') as file:
        np.savez(file, features=features, names=names, labels=labels)
    return f'{out}: features {features.shape} of layout {encoder.layout.name!r}'


def main(argv=None) -> None:
    args = parse_args(argv)
    if sys.modules.get('mmengine') is not None:
        # It logs the initialisation of every layer.
        from mmengine.logging import MMLogger

        MMLogger.get_current_instance().setLevel('WARNING')
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: print(
                f'warning: {message}', file=sys.stderr
            )
            print(run(args))
    except (ImportError, ValueError, OSError) as error:
        lacks = (getattr(error, 'name', None) or '').split('.')[0]
        # Names of imports are not those of packages, but for scipy.
        needed = lacks if lacks == 'scipy' else "'hiclr-mmaction[lite]'"
        sys.exit(f'error: {error}' + (f': pip install {needed}' if lacks else ''))


if __name__ == '__main__':
    main()
