"""Measure the making of views: of a batch, and clip by clip in a pipeline.

The views are those of a config's ``model.data_preprocessor.views``, or of its training
pipeline; the clips are made up. On a CPU the time is that
of the processor on one thread, so that samples/s are those of one core. With
``--released`` the released feeder makes its four views in turns with ours (without the
joint mask, which it makes later, and without collating). The rows of single augmentations
are of one view, with the probability that the config gives them, in the pipeline of a clip
on its own.

Example:
    python tools/benchmark/views.py --released HiCLR --out views.json
"""

import argparse
import pickle
import random
import statistics
import sys
import tempfile
import time
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
    ratio,
    trace,
)
from mmaction.registry import TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import init_default_scope

from hiclr_mmaction.models import SkeletonViewPreprocessor
from hiclr_mmaction.skeleton import get_layout
from hiclr_mmaction.views import GrowingAugmentation, PackSkeletonViews, SkeletonAlign

ROOT = Path(__file__).parents[2]
ALL, ALIGNED, RELEASED = 'all views', 'aligning, all views', 'released feeder'
CONFIG = ROOT / 'configs' / 'hiclr_stgcn_ntu60.py'


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measure the making of views')
    parser.add_argument('--config', default=str(CONFIG), help='whose views are made')
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument('--frames', type=int, default=90, help='of a clip as recorded')
    parser.add_argument('--rounds', type=int, default=7, help='turns of each')
    parser.add_argument(
        '--seconds', type=float, default=0.3, help='duration of a turn, at least'
    )
    add_common_arguments(parser, released=True)
    return parser.parse_args(argv)


def build(path: str) -> tuple[SkeletonAlign, dict]:
    """Alignment of a config, and the arguments of its GrowingAugmentation."""
    cfg = Config.fromfile(path)
    init_default_scope('mmaction')
    pipeline = cfg.train_dataloader.dataset.pipeline
    by_type = {transform['type']: transform for transform in pipeline}
    growing = by_type.get('GrowingAugmentation') or cfg.model.data_preprocessor.get(
        'views'
    )
    if growing is None or 'SkeletonAlign' not in by_type:
        sys.exit(
            f'--config: {path} makes no views, or its pipeline does not align clips'
        )
    growing = {key: value for key, value in growing.items() if key != 'type'}
    growing.setdefault('layout', by_type['SkeletonAlign']['layout'])
    return TRANSFORMS.build(by_type['SkeletonAlign']), growing


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


def each_augmentation(
    growing: GrowingAugmentation, batch: torch.Tensor
) -> dict[str, tuple[Callable, Callable]]:
    """For each augmentation, a function for one clip, and one for a batch."""
    clip = batch[0].cpu().numpy()
    functions = {}
    for level, transforms in enumerate(growing.levels):
        for t in transforms:
            functions[f'{level}: {type(t).__name__}'] = (
                lambda t=t: t(dict(keypoint=clip)),
                lambda t=t: t.change(batch, *t.sample(len(batch))),
            )
    return functions


def main(argv=None) -> None:
    args = parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    align, arguments = build(args.config)
    growing, pack = GrowingAugmentation(**arguments), PackSkeletonViews()
    joints = get_layout(align.layout).num_joints
    rng = np.random.default_rng(0)
    shape = (args.batch_size, align.num_person, args.frames, joints, 3)
    recorded = rng.standard_normal(shape, dtype=np.float32)
    clips = np.stack([align(dict(keypoint=clip))['keypoint'] for clip in recorded])
    prepare = SkeletonViewPreprocessor(align.layout, views=arguments)
    names = {'cpu', *(device.type for device in devices(args.device))}
    batches = {name: torch.from_numpy(clips).to(name) for name in sorted(names)}
    figures: Figures = {}

    def measure(functions: dict[tuple[str, str], Callable], device: str) -> dict:
        """Measure ``{(row, way): function}`` in turns; seconds a sample."""
        clock = time.process_time if device == 'cpu' else time.perf_counter
        times = in_turns(functions, args.rounds, args.seconds, device, clock)
        for row, way in functions:
            if way != 'pipeline' or row in (ALL, ALIGNED):
                part = [seconds / args.batch_size for seconds in times[row, way]]
                times[row, way] = part
            ms = 1000 * statistics.median(times[row, way])
            figures.setdefault(row, {})[f'{way}_ms'] = ms
            figures[row][f'{way}_per_s'] = 1000 / ms
        return times

    def pipeline(clips: np.ndarray, *transforms: Callable) -> object:
        """A batch whose views a data worker makes, clip by clip."""
        samples = [dict(keypoint=clip) for clip in clips]
        for t in (*transforms, growing, pack):
            samples = [t(sample) for sample in samples]
        return default_collate(samples)

    def views(device: str) -> dict:
        return prepare(dict(inputs=batches[device]), training=True)

    ours: dict[tuple[str, str], Callable] = {
        (ALL, 'pipeline'): lambda: pipeline(clips),
        (ALIGNED, 'pipeline'): lambda: pipeline(recorded, align),
        (ALL, 'cpu_batch'): lambda: views('cpu'),
    }
    released = {}
    if args.released:
        feeder = released_feeder(args.released, clips)
        released[RELEASED, 'pipeline'] = feeder
    others = {}
    if args.against:
        for way, folder in (('here', ROOT), ('against', args.against)):
            others[ALL, way] = Checkout(
                folder, 'views', args.batch_size, clock='process', threads=1
            )
    times = measure({**ours, **released, **others}, 'cpu')
    for way in ('here', 'against') if others else ():
        figures[ALL][f'{way}_over_against'] = ratio(times, (ALL, way), (ALL, 'against'))
        others[ALL, way].close()
    if 'cuda' in batches:
        ours[ALL, 'cuda_batch'] = lambda: views('cuda')
        prepare.cuda()
        gpu = {(ALL, 'cuda_batch'): ours[ALL, 'cuda_batch']}
        times.update(measure(gpu, 'cuda'))
    for row, way in ours if released else ():
        part = ratio(times, (row, way), (RELEASED, 'pipeline'))
        figures[row][f'{way}_over_released'] = part

    for device, batch in batches.items():
        functions = each_augmentation(growing, batch)
        if device == 'cpu':
            measure({(row, 'pipeline'): f for row, (f, _) in functions.items()}, 'cpu')
        measure(
            {(row, f'{device}_batch'): f for row, (_, f) in functions.items()}, device
        )

    with trace(args.profile):
        for function in ours.values():
            function()
    settings = dict(
        config=Path(args.config).name,
        batch_size=args.batch_size,
        frames=args.frames,
        views=growing.num_levels + 1,
    )
    finish(args, settings, figures, 'Making the views of a sample')


if __name__ == '__main__':
    main()
