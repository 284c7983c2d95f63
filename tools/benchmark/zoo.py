"""1-NN on features of an encoder of the zoo, beside 1-NN on the aligned joints.

Example:
    python tools/benchmark/zoo.py data/msr_action3d_3d.pkl=xsub=kinect20

Neighbours of the clips of SPLIT_val are looked for in SPLIT_train, by cosine of the
features, or by the Euclidean distance of the joints over 32 frames.
"""

import argparse

import numpy as np
import torch

from hiclr_mmaction.annotations import load_pickle
from hiclr_mmaction.annotations.clip_checks import pose_content
from hiclr_mmaction.apis import extract_features, init_encoder
from hiclr_mmaction.evaluation.baselines import nearest_neighbour
from hiclr_mmaction.evaluation.readouts import nearest_clip
from hiclr_mmaction.skeleton import align_clip
from hiclr_mmaction.zoo import DEFAULT


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('sets', nargs='+', metavar='FILE.pkl=SPLIT=LAYOUT')
    parser.add_argument(
        '--encoder', default=DEFAULT, help=f'name or file (default: {DEFAULT})'
    )
    return parser.parse_args()


def accuracy(model, parts, labels):
    """Of the second part of the clips, with the first as bank, %."""
    return 100 * model.fit(parts[0], labels[0]).score(parts[1], labels[1])


def aligned(clip, layout):
    """One person, 32 frames."""
    keypoint = torch.tensor(np.asarray(clip['keypoint'], np.float32))
    return align_clip(keypoint, layout, 32, 1).numpy()


def measure(path, split, layout, args):
    """Accuracies of one set by the name of the method."""
    clips, splits, _ = pose_content(load_pickle(path), path)
    names = [set(splits[f'{split}_{part}']) for part in ('train', 'val')]
    parts = [[clip for clip in clips if clip['frame_dir'] in those] for those in names]
    labels = [np.array([int(clip['label']) for clip in part]) for part in parts]
    joints = [np.stack([aligned(clip, layout) for clip in part]) for part in parts]
    out = {'1-NN on joints': accuracy(nearest_neighbour(), joints, labels)}
    for name, pool in dict(features=None, mean={}).items():
        encoder = init_encoder(args.encoder, pool=pool)
        features = [extract_features(encoder, part, layout=layout) for part in parts]
        out[name] = accuracy(nearest_clip(), features, labels)
    return out


def main():
    args = parse_args()
    found = {}
    for name in args.sets:
        found[name] = measure(*name.split('='), args)
        print(name, {k: round(float(v), 1) for k, v in found[name].items()}, flush=True)
    print('\n| |', ' | '.join(found), '|')
    print('|---' * (len(found) + 1) + '|')
    for method in next(iter(found.values())):
        print('|', method, '|', *(f'{f[method]:.1f} |' for f in found.values()))


if __name__ == '__main__':
    main()
