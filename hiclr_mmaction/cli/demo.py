"""Classify a skeleton file, with scores and an animation.

If the checkpoint has no classifier, as after pre-training, the nearest training clips are
printed instead.

Example:
    python tools/demo.py work_dirs/finetune/epoch_30.pth clip.csv
    python tools/demo.py work_dirs/pretrain/epoch_40.pth S001C001P001R001A013.skeleton
    python tools/demo.py CHECKPOINT poses.pkl --index 7 --out clip.gif
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import hiclr_mmaction  # noqa: F401  registers the components

from ..apis import (
    build_dataset,
    class_names,
    dataset_features,
    init_encoder,
    nearest_clips,
)
from ..checkpoint import (
    build_model,
    config_of,
    load_weights,
    read_checkpoint,
)
from ..converters import read_clip
from ..skeleton.orientation import UPS, Orientation
from ..visualization import animate_clips
from .analysis.common import add_classes, read_names
from .common import load_config, one_line, require_file
from .values import add_device


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Classify a skeleton file, with scores, or its nearest '
        'training clips, and draw it as an animation'
    )
    parser.add_argument(
        'checkpoint', help='of a run; it knows its config (or give --config)'
    )
    parser.add_argument(
        'file',
        help='.skeleton (NTU), .csv, .npy or .json (as tools/data/own.py reads), .bvh, '
        'or a pose pickle (.pkl)',
    )
    parser.add_argument('--config', help='config, where the checkpoint has none')
    parser.add_argument(
        '--index', type=int, default=0, help='of the clip in a pose pickle (default: 0)'
    )
    parser.add_argument(
        '--image-size', nargs=2, type=float, metavar=('WIDTH', 'HEIGHT'),
        help='of the image, if x and y are fractions of it (0 to 1)',
    )  # fmt: skip
    parser.add_argument(
        '--up', choices=UPS,
        help='up axis of the file (--up=-y). Default: that of the training data, or '
        'estimated',
    )  # fmt: skip
    parser.add_argument(
        '--scale', type=float, metavar='METRES',
        help='metres per unit of the file. Default: that of the training data, or '
        'estimated',
    )  # fmt: skip
    parser.add_argument(
        '--top', type=int, default=5, metavar='N',
        help='classes or neighbours to print (default: 5)',
    )  # fmt: skip
    add_classes(parser)
    parser.add_argument('--out', default='demo.gif', help='the animation')
    parser.add_argument('--fps', type=float, default=15, help='of the animation')
    add_device(parser)
    return parser.parse_args(argv)


def classify(cfg, checkpoint: dict, args, packed: dict) -> np.ndarray:
    """Scores of the classes ``(K,)``."""
    model = build_model(cfg.model, args.checkpoint)
    load_weights(model, checkpoint['state_dict'], args.checkpoint)
    model.to(args.device).eval()
    with torch.no_grad():
        (sample,) = model.test_step(pseudo_collate([packed]))
    return np.asarray(sample.pred_score.cpu())


def tell_classes(scores: np.ndarray, classes, top: int, console: Console) -> list[str]:
    """Print the classes with the highest scores; returns them as lines."""
    table = Table('class', 'score')
    lines = []
    for c in scores.argsort()[::-1][:top]:
        name = str(classes[c] if classes else f'class {c}')
        table.add_row(escape(name), f'{scores[c]:.1%}')
        lines.append(f'{name}  {scores[c]:.0%}')
    console.print(table)
    return lines


def tell_neighbours(bank, encoder, inputs, classes, top: int, console: Console):
    """Print the nearest training clips; returns titles and clips to draw."""
    known = dataset_features(encoder, bank)
    with torch.no_grad():
        feature = encoder([inputs]).cpu().numpy()
    distances, rows = nearest_clips(feature, known.features, top)
    classes = classes or class_names(bank)
    table = Table('nearest training clip', 'class', 'cosine distance')
    titles, clips = [], []
    for distance, row in zip(distances[0], rows[0], strict=True):
        label, name = known.labels[row], known.names[row]
        shown = 'none' if label < 0 else str(classes[label] if classes else label)
        table.add_row(escape(name), escape(shown), f'{distance:.3g}')
        titles.append(f'{name}\nclass {shown}\ndistance {distance:.3g}')
        clips.append(first_cut(bank[int(known.indices[row])]['inputs']))
    console.print(table)
    return titles, clips


def first_cut(inputs) -> np.ndarray:
    """``(M, T, V, C)``, without the axis of cuts of MMAction2's packing."""
    inputs = np.asarray(inputs)
    return inputs if inputs.ndim == 4 else inputs[0]


def run(args: argparse.Namespace) -> None:
    """Read the file, print the classes, draw the clip."""
    checkpoint = read_checkpoint(args.checkpoint)
    if args.config is not None:
        cfg = load_config(args.config)
    else:
        cfg = Config(config_of(checkpoint, args.checkpoint))
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    classes = read_names(args.classes) or meta.get('classes')
    encoder = init_encoder(cfg, args.checkpoint, args.device)
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    clip = read_clip(
        args.file,
        encoder.layout,
        args.index,
        args.image_size,
        up=args.up,
        scale=args.scale,
        usual=Orientation(**meta['orientation']) if 'orientation' in meta else None,
    )
    packed = encoder.pack(clip, Path(args.file).name)
    console = Console()
    if cfg.model.get('cls_head'):
        scores = classify(cfg, checkpoint, args, packed)
        lines = tell_classes(scores, classes, args.top, console)
        titles, clips = ['\n'.join(lines[:3])], [clip]
    else:
        console.print('The checkpoint has no classifier. Nearest clips:')
        inputs = packed['inputs']
        bank = build_dataset(cfg, 'train', trusted=args.config is not None)
        titles, clips = tell_neighbours(
            bank, encoder, inputs, classes, args.top, console
        )
        titles = [f'{Path(args.file).name}\n', *titles[:3]]
        clips = [first_cut(inputs), *clips[:3]]
    animate_clips(clips, args.out, encoder.layout, titles, args.fps)
    console.print(f'drawn: {escape(args.out)}', soft_wrap=True)


def main(argv=None) -> None:
    args = parse_args(argv)
    require_file(args.file, 'skeleton file')
    if not args.out.endswith('.gif') or not Path(args.out).parent.is_dir():
        sys.exit(f'--out {args.out}: name a .gif file in an existing folder')
    # mmengine logs the initialisation of every layer.
    MMLogger.get_current_instance().setLevel('WARNING')
    init_default_scope('mmaction')
    with one_line('error: '):
        run(args)
