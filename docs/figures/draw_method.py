"""Draw the figure of the method: growing views, encoders, losses.

The views are real ones, of a synthetic clip. Write it again after a change:

    python docs/figures/draw_method.py docs/figures/method.svg
"""

import sys

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from hiclr_mmaction.datasets import SyntheticSkeletons
from hiclr_mmaction.skeleton import get_layout, hiclr_align
from hiclr_mmaction.views import GrowingAugmentation

LAYOUT = get_layout('nturgb+d')
LEVELS = [
    [dict(type='SkeletonTemporalCrop'), dict(type='SkeletonShear', amplitude=0.25)],
    [dict(type='SkeletonRotate', main_degrees=30), dict(type='SkeletonNoise', prob=1)],
    [dict(type='SkeletonJointMask', ratio=0.2)],
]
INK, BLUE, ORANGE, GREY = '0.15', '#1f5fa8', '#c2571a', '0.45'
FRAMES = (12, 22, 32)
# Rows from the top: key, then the queries from the weakest on.
ROWS = (6.35, 4.6, 2.85, 1.1)


def views():
    """The clip and its views, (T, V, 3) each, and the mask of the strongest."""
    torch.manual_seed(3)
    dataset = SyntheticSkeletons(
        [], actions=['wave'], num_subjects=3, num_val_subjects=1, lost_joints=0.0
    )
    clip = hiclr_align(torch.from_numpy(dataset[0]['keypoint'][:1]), LAYOUT)
    made = GrowingAugmentation(LEVELS, layout=LAYOUT.name).transform(
        dict(keypoint=clip.numpy(), coordinates='3d')
    )['views']
    parts = [made['key'], *made['queries']]
    return clip[0], [view[0] for view in parts], made['mask'][-1]


def body(axes, joints, x, y, mask=None, colour=INK, alpha=1.0):
    """Draw one frame as the sensor sees it, its middle at (x, y)."""
    flat = np.asarray(joints)[:, :2] * (-0.85, 0.85)
    flat = flat - (flat.min(0) + flat.max(0)) / 2 + (x, y)
    hidden = np.zeros(len(flat), bool) if mask is None else np.asarray(mask)
    for child, parent in LAYOUT.bones:
        seen = not hidden[[child, parent]].any()
        style = dict(lw=1.5) if seen else dict(lw=0.8, ls=':')
        axes.plot(*flat[[child, parent]].T, color=colour, alpha=alpha, **style)
    axes.plot(*flat[~hidden].T, 'o', ms=1.8, color=colour, alpha=alpha)
    axes.plot(*flat[hidden].T, 'x', ms=4.5, mew=1.3, color='#c21a3a', alpha=alpha)


def clip_at(axes, clip, x, y, **kwargs):
    """Three frames side by side, the earlier the paler."""
    mask = kwargs.pop('mask', None)
    for number, frame in enumerate(FRAMES):
        body(
            axes,
            clip[frame],
            x + 0.85 * (number - 1),
            y,
            None if mask is None else mask[frame],
            alpha=(0.45, 0.7, 1.0)[number],
            **kwargs,
        )


def box(axes, x, y, width, height, text, colour, **kwargs):
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle='round,pad=0.02,rounding_size=0.12',
            facecolor=colour + '1c',
            edgecolor=colour,
            lw=1.3,
        )
    )
    axes.text(x, y, text, ha='center', va='center', color=INK, **kwargs)


def arrow(axes, start, end, colour=GREY, **kwargs):
    style = dict(arrowstyle='-|>', mutation_scale=12, lw=1.4, shrinkA=0, shrinkB=0)
    axes.add_patch(FancyArrowPatch(start, end, color=colour, **dict(style, **kwargs)))


def draw(path):
    matplotlib.rcParams.update({'svg.fonttype': 'path', 'svg.hashsalt': 'method'})
    figure = Figure(figsize=(12, 6.9), facecolor='white')
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 13.6), ylim=(0, 7.82), aspect='equal')
    axes.axis('off')
    clip, made, mask = views()

    clip_at(axes, clip, 1.4, 3.7, colour=INK)
    axes.text(1.4, 4.75, 'clip without a label', ha='center', fontsize=11)
    names = (
        'key: basic',
        'query 0: basic',
        'query 1: basic + normal',
        'query 2: basic + normal + strong',
    )
    for row, (y, name, view) in enumerate(zip(ROWS, names, made, strict=True)):
        colour = ORANGE if row == 0 else BLUE
        clip_at(axes, view, 4.75, y, colour=colour, mask=mask if row == 3 else None)
        axes.text(4.85, y + 0.83, name, ha='center', fontsize=10.5, color=colour)
        arrow(axes, (2.75, 3.7 + 0.35 * (1.5 - row)), (3.4, y - 0.12 * (row == 3)))
        arrow(axes, (6.05, y), (6.5, y))
    box(
        axes, 7.25, ROWS[0], 1.4, 1.0, 'key encoder\nand projector', ORANGE, fontsize=10
    )
    box(axes, 7.25, ROWS[2], 1.4, 4.5, 'encoder\nand\nprojector', BLUE, fontsize=10)
    arrow(axes, (7.25, 5.1 + 0.02), (7.25, 5.83), ORANGE, ls='--')
    axes.text(7.35, 5.42, 'moving average', fontsize=9, color=ORANGE, va='center')

    for row, y in enumerate(ROWS[1:]):
        arrow(axes, (7.97, y), (8.5, y))
        label = f'$p_{row}$: how near $z_{row}$ is\nto key and queue'
        box(axes, 9.5, y, 1.95, 0.8, label, BLUE, fontsize=10)
    arrow(axes, (7.97, ROWS[0]), (8.5, ROWS[0]), ORANGE)
    box(axes, 9.5, ROWS[0], 1.95, 0.8, 'key $k$, then\nqueue of older keys', ORANGE,
        fontsize=10)  # fmt: skip
    arrow(axes, (9.5, ROWS[0] - 0.42), (9.5, ROWS[1] + 0.42), ORANGE)

    axes.text(10.75, ROWS[1], 'InfoNCE: $z_0$ near $k$,\nfar from the queue',
              fontsize=11, va='center', weight='bold')  # fmt: skip
    for row in (1, 2):
        high, low = ROWS[row], ROWS[row + 1]
        arrow(axes, (10.52, low + 0.1), (10.52, high - 0.1), BLUE,
              connectionstyle='arc3,rad=0.45')  # fmt: skip
        text = (
            f'level {row}: pull $p_{row}$ to $p_{row - 1}$,\n'
            f'one way: no gradient\ninto $p_{row - 1}$'
        )
        axes.text(11.0, (high + low) / 2, text, fontsize=11, va='center')
    axes.text(10.75, 0.33, 'loss = InfoNCE + ½ level 1 + ½ level 2', fontsize=10.5,
              ha='center', color=INK)  # fmt: skip
    axes.text(4.75, 0.05, '× masked joints', ha='center', fontsize=9, color='#c21a3a')
    figure.savefig(path, metadata={'Date': None} if str(path).endswith('svg') else None)


if __name__ == '__main__':
    draw(sys.argv[1])
