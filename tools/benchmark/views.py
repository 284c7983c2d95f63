"""Measure the making of views: of a batch, and clip by clip in a pipeline.

The views are those of a config's ``model.data_preprocessor.views``; the clips are made up.
On a CPU the time is that of the processor on one thread. With ``--released`` the released
feeder makes its four views in turns with ours (without the joint mask, which it makes
later, and without collating).

Example:
    python tools/benchmark/views.py --released HiCLR --out views.json
"""

import argparse
import pickle
import random
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _checkout import Checkout
from _measure import (
    Figures,
    add_common_arguments,
    devices,
    finish,
    import_released,
    in_turns,
    make_clips,
    ratio,
    trace,
)
from mmengine.dataset import default_collate
from mmengine.registry import init_default_scope

from hiclr_mmaction.evaluation.protocol import find_config, read_config
from hiclr_mmaction.models import SkeletonViewPreprocessor
from hiclr_mmaction.views import GrowingAugmentation, PackSkeletonViews

ROOT = Path(__file__).parents[2]


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measure the making of views')
    parser.add_argument(
        '--config', default='hiclr_stgcn_ntu60.py', help='whose views are made'
    )
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument('--rounds', type=int, default=7, help='turns of each')
    parser.add_argument(
        '--seconds', type=float, default=0.3, help='duration of a turn, at least'
    )
    add_common_arguments(parser, released=True)
    return parser.parse_args(argv)


def released_feeder(folder: Path, clips: np.ndarray) -> Callable[[], object]:
    """A function that has the released feeder make the views of the next clip."""
    (feeder,) = import_released(folder, 'feeder.ntu_feeder')
    with tempfile.TemporaryDirectory() as work:
        data, label = Path(work) / 'position.npy', Path(work) / 'label.pkl'
        np.save(data, clips.transpose(0, 4, 2, 3, 1))
        label.write_bytes(pickle.dumps((['clip'] * len(clips), [0] * len(clips))))
        dataset = feeder.Feeder_triple(str(data), str(label), mmap=False)
    random.seed(0)
    return lambda: dataset[random.randrange(len(clips))]


def main(argv=None) -> None:
    args = parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    init_default_scope('mmaction')
    options = dict(
        read_config(find_config(args.config) or args.config).model.data_preprocessor
    )
    options.pop('type')
    prepare = SkeletonViewPreprocessor(**options)
    growing = GrowingAugmentation(**{'layout': prepare.layout, **options['views']})
    pack = PackSkeletonViews()
    clips = make_clips(args.batch_size, 0.75, 'cpu')
    samples = clips.numpy()

    def pipeline() -> object:
        """A batch whose views a data worker makes, clip by clip."""
        return default_collate([pack(growing(dict(keypoint=clip))) for clip in samples])

    size = args.batch_size
    ways: dict[str, tuple[int, Callable | Checkout]] = dict(
        pipeline=(size, pipeline),
        cpu_batch=(size, lambda: prepare(dict(inputs=clips), training=True)),
    )
    if args.released:
        ways['released'] = 1, released_feeder(args.released, samples)
    if args.against:
        for way, folder in (('here', ROOT), ('against', args.against)):
            checkout = Checkout(folder, 'views', size, clock='process', threads=1)
            ways[way] = size, checkout

    def measure(names: list[str], device: str, clock: str) -> dict[str, list[float]]:
        """Seconds a sample."""
        functions = {name: ways[name][1] for name in names}
        times = in_turns(functions, args.rounds, args.seconds, device, clock)
        return {name: [s / ways[name][0] for s in times[name]] for name in names}

    times = measure(list(ways), 'cpu', 'process')
    with trace(args.profile):
        pipeline()
        ways['cpu_batch'][1]()
    if any(device.type == 'cuda' for device in devices(args.device)):
        on_gpu = clips.cuda()
        prepare.cuda()
        ways['cuda_batch'] = size, lambda: prepare(dict(inputs=on_gpu), training=True)
        times |= measure(['cuda_batch'], 'cuda', 'wall')
    figures: Figures = {}
    for name, seconds in times.items():
        ms = 1000 * statistics.median(seconds)
        figures[name] = dict(ms=ms, per_s=1000 / ms)
        for other in {'released', 'against'} & times.keys():
            figures[name][f'over_{other}'] = ratio(times, name, other)
        if isinstance(ways[name][1], Checkout):
            ways[name][1].close()
    settings = dict(
        config=args.config, batch_size=args.batch_size, views=growing.num_levels + 1
    )
    finish(args, settings, figures, 'Making the views of a sample')


if __name__ == '__main__':
    main()
