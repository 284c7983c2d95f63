"""Write an HTML page with a clip and its neighbours in feature space.

Example:
    python tools/analysis/browse_neighbours.py CONFIG CHECKPOINT --out page.html
    python tools/analysis/browse_neighbours.py CONFIG CHECKPOINT --clip wave-s10-r00
"""

import argparse

import numpy as np

from ...apis import (
    build_dataset,
    class_names,
    dataset_features,
    init_encoder,
    nearest_clips,
)
from ...atomic_write import write_text
from ...visualization import viewer_page
from ..values import add_device
from .common import (
    add_classes,
    add_config,
    one_line,
    read_config,
    read_names,
    weights_file,
    writable,
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Write a page with a clip of the test set and the training clips '
        'whose features are nearest (by cosine)'
    )
    add_config(parser)
    parser.add_argument('checkpoint', help='with the weights of the encoder')
    parser.add_argument('--out', default='neighbours.html', help='the page')
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        '--index', type=int, default=0, help='which clip of the test set (default: 0)'
    )
    which.add_argument('--clip', metavar='NAME', help='the same by its frame_dir')
    parser.add_argument(
        '-k', type=int, default=5, help='number of neighbours (default: 5)'
    )
    parser.add_argument(
        '--max-clips', type=int, metavar='N',
        help='look among that many training clips, taken at random (default: all)',
    )  # fmt: skip
    add_device(parser)
    add_classes(parser)
    return parser.parse_args(argv)


def find_clip(dataset, args: argparse.Namespace) -> int:
    """The clip's index, or an error that names those there are."""
    if args.clip is None:
        if not 0 <= args.index < len(dataset):
            raise ValueError(
                f'--index {args.index}: the test set has clips 0 to {len(dataset) - 1}'
            )
        return args.index
    names = [dataset.get_data_info(i).get('frame_dir') for i in range(len(dataset))]
    if args.clip not in names:
        raise ValueError(
            f'--clip {args.clip}: the test set has no such clip; its first is {names[0]}'
        )
    return names.index(args.clip)


def describe(dataset, index: int, classes, lines, query: bool = False) -> dict:
    """A clip as :func:`viewer_page` takes it, aligned as for the encoder."""
    packed = dataset[index]
    sample = packed['data_samples']
    label = int(sample.gt_label) if 'gt_label' in sample else None
    known = '' if label is None else f'class: {classes[label] if classes else label}'
    inputs = np.asarray(packed['inputs'])
    return dict(
        # MMAction2's packing has an axis of cuts; the first cut is shown.
        keypoint=inputs if inputs.ndim == 4 else inputs[0],
        title=str(sample.get('frame_dir', f'clip {index}')),
        lines=[known, *lines],
        query=query,
    )


def main(argv=None) -> None:
    args = parse_args(argv)
    cfg = read_config(args)
    args.checkpoint = weights_file(args.checkpoint)
    writable(args.out)
    with one_line('error: '):
        queries = build_dataset(cfg, 'val')
        index = find_clip(queries, args)
        bank = build_dataset(cfg, 'train')
        encoder = init_encoder(cfg, args.checkpoint, args.device)
        known = dataset_features(encoder, bank, args.max_clips)
        feature = encoder([queries[index]['inputs']]).detach().cpu().numpy()
        distances, rows = nearest_clips(feature, known.features, args.k)
        classes = read_names(args.classes) or class_names(bank)
        clips = [describe(queries, index, classes, ['the query'], query=True)]
        for rank, (distance, row) in enumerate(
            zip(distances[0], rows[0], strict=True), 1
        ):
            lines = [f'neighbour {rank}', f'cosine distance {distance:.3g}']
            clips.append(describe(bank, int(known.indices[row]), classes, lines))
        page = viewer_page(clips, encoder.layout, 'A clip and its nearest neighbours')
        write_text(page, args.out)
    for clip in clips:
        print('  '.join([clip['title'], *clip['lines']]))
    print(f'written: {args.out}')
