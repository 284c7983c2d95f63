"""What `backbone.skip_absent` does to the accuracy, on real clips of one and two persons.

The sets at hand show one person a clip. So in every second class a clip is given a second
person: another clip of the class, of the same split, moved aside. Each seed pre-trains
once with `skip_absent` and once without; the k-NN accuracy of the frozen features is that
after the last epoch. How many persons there are tells half of the classes, either way.

Example:
    python tools/benchmark/absent.py data/msr_action3d_3d.pkl --seeds 0 1
"""

import argparse
import json
import pickle
import statistics
import tempfile
from pathlib import Path

import numpy as np
from _measure import accuracies
from mmengine.config import Config

import hiclr_mmaction  # noqa: F401  registers the components
from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.evaluation.protocol import find_config, read_config

CONFIG = find_config('skeletonclr_stgcn_msr.py')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='What skip_absent does to the k-NN accuracy'
    )
    parser.add_argument('data', type=Path, help='pose pickle of clips of one person')
    parser.add_argument('--config', default=str(CONFIG), help='of the pre-training')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0])
    parser.add_argument('--epochs', type=int, help="default: the config's")
    parser.add_argument(
        '--distance', type=float, default=0.8, help='of the second person, metres'
    )
    parser.add_argument('--out', type=Path, help='JSON file for the figures')
    return parser.parse_args(argv)


def pair(data: dict, distance: float) -> dict:
    """The pose pickle with a second person in the clips of every second class."""
    by_name = {clip['frame_dir']: clip for clip in data['annotations']}
    paired = dict(by_name)
    for names in data['split'].values():
        for label in {by_name[name]['label'] for name in names}:
            same = [name for name in names if by_name[name]['label'] == label]
            order = np.random.default_rng(int(label)).permutation(len(same))
            for first, second in zip(order, np.roll(order, 1), strict=True):
                clip, other = by_name[same[first]], by_name[same[second]]['keypoint']
                if label % 2:
                    frames = clip['keypoint'].shape[1]
                    at = np.linspace(0, other.shape[1] - 1, frames).round().astype(int)
                    both = [clip['keypoint'], other[:, at] + [distance, 0, 0]]
                    clip = dict(clip, keypoint=np.concatenate(both).astype(np.float32))
                paired[same[first]] = clip
    return dict(data, annotations=list(paired.values()))


def prepare(args: argparse.Namespace, seed: int, skip: bool, file: Path) -> Config:
    cfg = read_config(args.config)
    cfg.randomness.seed = seed
    cfg.experiment_name = f'absent_{seed}_{skip}'
    cfg.model.backbone.skip_absent = skip
    if args.epochs is not None:
        cfg.train_cfg.max_epochs = args.epochs
    for dataset in (
        cfg.train_dataloader.dataset,
        *cfg.val_dataloader.dataset.datasets,
    ):
        dataset.ann_file = str(file)
        dataset.pipeline[0].num_person = 2
    return cfg


def main(argv=None) -> None:
    args = parse_args(argv)
    figures: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'paired.pkl')
        file.write_bytes(pickle.dumps(pair(load_pickle(args.data), args.distance)))
        for seed in args.seeds:
            for skip in (False, True):
                row = figures.setdefault(f'skip_absent={skip}', {})
                for name, value in accuracies(prepare(args, seed, skip, file)).items():
                    row.setdefault(name, []).append(value)
                    print(f'skip_absent={skip} seed {seed} {name}: {value:.1f} %')
    for name, row in figures.items():
        means = ', '.join(f'{k} {statistics.mean(v):.1f} %' for k, v in row.items())
        print(f'{name}: {means}')
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1))


if __name__ == '__main__':
    main()
