"""Write synthetic clips as CSV files and a table of labels, as an example of custom data.

200 clips of 10 actions by 10 persons, three of them for evaluation.

Example:
    python tools/data/example.py data/example --layout openni15
"""

import csv
import sys
from pathlib import Path

import numpy as np

from ...datasets.synthetic import pose_annotations
from ...datasets.synthetic.camera import to_coco
from ...datasets.synthetic.choreography import ACTIONS as ALL_ACTIONS
from ...skeleton import get_layout
from .common import make_parser

ACTIONS = tuple(name for name, action in ALL_ACTIONS.items() if action.num_persons == 1)
# Joint of NTU RGB+D for each of openni15.
_OPENNI = [3, 2, 1, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19]


def parse_args(argv=None):
    parser = make_parser(
        'Write synthetic clips as CSV files, one per clip, and a table of labels.'
    )
    parser.add_argument('folder', type=Path, help='a new folder')
    parser.add_argument(
        '--layout',
        choices=['openni15', 'coco'],
        default='openni15',
        help='15 joints in 3-D (metres) or 17 in 2-D (pixels and a score)',
    )
    return parser.parse_args(argv)


def write(folder, layout):
    """Write the clips to `folder`/clips and the table to `folder`/labels.csv."""
    rng = np.random.default_rng(0)
    content = pose_annotations(
        actions=ACTIONS, num_subjects=10, num_val_subjects=3, clips_per_action=2
    )
    axes = ('x', 'y', 'z') if layout == 'openni15' else ('x', 'y', 'score')
    names = get_layout(layout).joints
    clips = folder / 'clips'
    clips.mkdir(parents=True)
    table = [('clip', 'label', 'subject')]
    for clip in content['annotations']:
        joints = clip['keypoint'][0]
        if layout == 'openni15':
            joints = joints[:, _OPENNI]
        else:
            score = rng.uniform(0.5, 1, (len(joints), 17, 1))
            joints = np.concatenate([to_coco(joints), score], axis=-1)
        with open(clips / f'{clip["frame_dir"]}.csv', 'w', newline='') as file:
            rows = csv.writer(file)
            rows.writerow(('frame', 'joint', *axes))
            for frame, body in enumerate(joints):
                for name, joint in zip(names, body, strict=True):
                    rows.writerow((frame, name, *(f'{value:.4f}' for value in joint)))
        table.append(
            (clip['frame_dir'], ACTIONS[clip['label']], f'person{clip["subject"]}')
        )
    with open(folder / 'labels.csv', 'w', newline='') as file:
        csv.writer(file).writerows(table)
    return len(table) - 1


def main(argv=None):
    args = parse_args(argv)
    try:
        count = write(args.folder, args.layout)
    except FileExistsError as error:
        sys.exit(f'error: {error}; name a new folder.')
    print(f'{count} clips in {args.folder / "clips"}, {args.folder / "labels.csv"}')
