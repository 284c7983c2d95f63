"""Draw the growing views of a clip, as a still picture or an animation.

Example:
    python tools/analysis/browse_views.py configs/hiclr_stgcn_synthetic.py --out views.png
    python tools/analysis/browse_views.py CONFIG --index 7 --seed 3 --out views.gif
"""

import argparse

from mmaction.registry import DATASETS

from ...checkpoint import build_model
from ...visualization import animate_views, draw_views, sample_views
from .common import add_config, one_line, read_config, writable


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Draw the views of a clip that pre-training makes: masked '
        'joints hollow, dropped edges dashed, added ones thin'
    )
    add_config(parser)
    parser.add_argument(
        '--out', default='views.png', help='a .gif is an animation; else the suffix is a '
        'format of still pictures (default: views.png)'
    )  # fmt: skip
    parser.add_argument(
        '--index', type=int, default=0, help='which clip of the training set'
    )
    parser.add_argument('--seed', type=int, default=0, help='names the draws')
    parser.add_argument(
        '--frames', type=int, default=6, metavar='N',
        help='frames of a still picture (default: 6); an animation has all',
    )  # fmt: skip
    parser.add_argument(
        '--turn',
        type=float,
        metavar='DEGREES',
        help='turn the persons about the vertical, to show depth (default: '
        '20; 0 in 2-D)',
    )
    parser.add_argument('--fps', type=float, default=10, help='of an animation')
    parser.add_argument(
        '--size', type=float, metavar='INCHES', help='width of a frame or, of an '
        'animation, of a view (default: 1 or 1.9)'
    )  # fmt: skip
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    cfg = read_config(args)
    writable(args.out)
    with one_line('error: '):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        model = build_model(cfg.model, args.config)
        views = sample_views(dataset, model, args.index, args.seed)
        layout = model.data_preprocessor.layout
        turn = args.turn
        if turn is None:
            turn = 20 if layout.coordinates == '3d' else 0
        size = dict(frame_size=args.size) if args.size else {}
        if args.out.endswith('.gif'):
            animate_views(views, layout, args.out, turn=turn, fps=args.fps, **size)
        else:
            figure = draw_views(views, layout, args.frames, turn=turn, **size)
            figure.savefig(args.out)
    for view in views:
        print(f'{view.name}: {", ".join(view.applied) or "unchanged"}')
    print(f'drawn: {args.out}')
