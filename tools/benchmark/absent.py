"""What `backbone.skip_absent` does to the accuracy, on real clips of one and two persons.

The sets at hand show one person a clip. So in every second class a clip is given a second
person: another clip of the class, of the same split, moved aside. Each seed pre-trains
once with `skip_absent` and once without; the k-NN accuracy of the frozen features is that
after the last epoch. How many persons there are tells half of the classes, either way.

Example:
    python tools/benchmark/absent.py data/msr_action3d_3d.pkl --seeds 0 1
"""

import argparse
import pickle
import tempfile
from pathlib import Path

import numpy as np
from _measure import compare_accuracies
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


def main(argv=None) -> None:
    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'paired.pkl')
        file.write_bytes(pickle.dumps(pair(load_pickle(args.data), args.distance)))

        def make_config(variant: str, seed: int) -> Config:
            cfg = read_config(CONFIG)
            cfg.model.backbone.skip_absent = variant == 'skip_absent=True'
            if args.epochs is not None:
                cfg.train_cfg.max_epochs = args.epochs
            train, *val = cfg.train_dataloader, *cfg.val_dataloader.dataset.datasets
            for dataset in (train.dataset, *val):
                dataset.ann_file = str(file)
                dataset.pipeline[0].num_person = 2
            return cfg

        variants = ('skip_absent=False', 'skip_absent=True')
        compare_accuracies(make_config, variants, args.seeds, args.out)


if __name__ == '__main__':
    main()
