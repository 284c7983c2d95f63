"""Compare learners on small sets: the same encoder, views, read-outs and seeds for all.

Example:
    python tools/benchmark/learners.py hiclr vicreg pcm3 --data data

Each learner is pre-trained on each set without labels, by its configs for small sets, and
its frozen joint encoder is read out. Cells give the accuracy with a tenth / with all of the
labels. The same command resumes a stopped run.
"""

import argparse
import json
import os
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from _measure import in_turns, machine, ratio
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from hiclr_mmaction.atomic_write import write_text
from hiclr_mmaction.cli import label_curve
from hiclr_mmaction.cli.results import read_results
from hiclr_mmaction.cli.tables import print_table
from hiclr_mmaction.evaluation.label_curve import over_seeds, readout_accuracies
from hiclr_mmaction.evaluation.protocol import find_config
from hiclr_mmaction.evaluation.readouts import Accuracies

# The end of the config's name, and the file and layout where the config leaves them open.
SETS = dict(
    msr=('msr',),
    kard=('own', 'kard_3d.pkl', 'openni15'),
    utkinect=('own', 'utkinect_3d.pkl', 'kinect20'),
    florence3d=('own', 'florence3d_3d.pkl', 'openni15'),
    nw_ucla=('nw_ucla',),
)
FRACTIONS = (0.1, 1.0)
METHODS = ('nearest neighbour', 'ridge')
# By learner or 'A + B', and set.
Curves = dict[tuple[str, str], dict[str, dict[float, Accuracies]]]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument(
        'learners', nargs='+', help='the first is compared with each other one'
    )
    parser.add_argument('--sets', nargs='+', choices=SETS, default=list(SETS))
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2])
    parser.add_argument(
        '--data',
        type=Path,
        default=os.environ.get('HICLR_DATA', 'data'),
        help='folder of the pose pickles (default: $HICLR_DATA, or data)',
    )
    parser.add_argument('--work-dir', type=Path, default='work_dirs/learners')
    parser.add_argument(
        '--fine-tune', action='store_true', help='also fine-tune, which takes longest'
    )
    parser.add_argument(
        '--together',
        nargs=2,
        metavar='LEARNER',
        help='add a row of the features of two learners side by side',
    )
    parser.add_argument('--device', default='cpu', help='of the encoder (default: cpu)')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='[STEP:]KEY=VALUE'
    )
    args = parser.parse_args()
    for learner in args.learners:
        for name in args.sets:
            config = f'{learner}_stgcn_{SETS[name][0]}.py'
            if find_config(config) is None:
                parser.error(f'{learner}: there is no config {config}')
    if not set(args.together or ()) <= set(args.learners):
        parser.error(f'--together {" ".join(args.together)}: name two of the learners')
    return args


def curve_of(
    learner: str, name: str, args: argparse.Namespace
) -> label_curve.LabelCurve:
    """The read-outs of a learner on a set, measured or not."""
    suffix, *custom = SETS[name]
    options = list(args.cfg_options)
    if custom:
        options += [f'ann_file={args.data / custom[0]}', f'layout={custom[1]}']
    command = [
        str(find_config(f'{learner}_stgcn_{suffix}.py')),
        *('--seeds', *map(str, args.seeds)),
        *('--fractions', *map(str, FRACTIONS)),
        *('--work-dir', str(args.work_dir / f'{learner}_{name}')),
        *('--device', args.device, '--no-hybrid', '--no-training', '--baselines'),
        *(['--cfg-options', *options] if options else []),
    ]
    return label_curve.LabelCurve(label_curve.parse_args(command))


def fine_tune(curve: label_curve.LabelCurve, seed: int) -> None:
    """Fine-tune the encoder of a seed."""
    checkpoint = curve.pretrain(seed, 'joint')
    for fraction in FRACTIONS:
        curve.train(
            label_curve.FINETUNED, fraction, seed, 'joint', checkpoint=checkpoint
        )


def together(curves: list[label_curve.LabelCurve], file: Path, seeds: list[int]):
    """Read-outs of the features of several learners side by side; kept in a file."""
    settings = dict(curves=[c.settings for c in curves])
    cells = {
        (m, f, s): v for m, f, s, v in read_results(file, settings).get('cells', [])
    }
    for seed in seeds:
        if any(s == seed for _, _, s in cells):
            continue
        evaluated = zip(
            *(c.evaluated(seed, dict(joint=c.pretrain(seed, 'joint'))) for c in curves),
            strict=True,
        )
        train, test = (
            replace(
                parts[0],
                features=np.concatenate([p.features for p in parts], axis=1)
                / np.sqrt(len(parts)),
            )
            for parts in evaluated
        )
        for fraction in FRACTIONS:
            found, _ = readout_accuracies(train, test, fraction, seed)
            cells |= {(method, fraction, seed): v for method, v in found.items()}
        content = dict(settings=settings, cells=[[*k, v] for k, v in cells.items()])
        write_text(json.dumps(content, indent=1), file)
    return cells


def steps(curves: dict[str, label_curve.LabelCurve]) -> dict[str, float]:
    """The time of a pre-training step over that of the first learner."""

    def step(curve):
        cfg = curve.cfg
        data = next(iter(Runner.build_dataloader(cfg.train_dataloader)))
        model = MODELS.build(cfg.model).to(curve.args.device).train()
        return partial(
            model.train_step, data, build_optim_wrapper(model, cfg.optim_wrapper)
        )

    device = next(iter(curves.values())).args.device
    times = in_turns({k: step(c) for k, c in curves.items()}, device=device)
    first = next(iter(times))
    return {name: ratio(times, name, first) for name in times}


def show(found: Curves, args: argparse.Namespace, cost: dict[str, float]) -> str:
    """Print and return the table, and what the first learner is better by."""
    names = list(dict.fromkeys(name for name, _ in found))
    methods = [*METHODS, *([label_curve.FINETUNED] if args.fine_tune else [])]
    rows = []
    for method in methods:
        for name in names:
            cells = [found[name, s].get(method) for s in args.sets]
            if None not in cells:
                row = (' / '.join(str(c[f]) for f in FRACTIONS) for c in cells)
                rows.append([f'{method}, {name}', *row])
    title = (
        'Top-1, %, 10 / 100 % of the labels, mean ± spread of seeds '
        f'{", ".join(map(str, args.seeds))}; last epoch, joint stream'
    )
    text = [print_table(['', *args.sets], rows, title)]
    first, *others = names
    for method in methods:
        for other in others:
            if method not in found[other, args.sets[0]]:
                continue
            gaps = []
            for fraction in FRACTIONS:
                values = np.array(
                    [
                        [found[n, s][method][fraction].values for s in args.sets]
                        for n in (other, first)
                    ]
                )
                gap = Accuracies(tuple((values[0] - values[1]).mean(axis=0)))
                gaps.append(f'{gap} ({fraction:.0%})')
            text.append(
                f'{method}, {other} minus {first}, mean of the sets: {", ".join(gaps)}'
            )
    text += [f'a step of {n}: {v:.2f} times that of {first}' for n, v in cost.items()]
    text.append(', '.join(f'{k} {v}' for k, v in machine().items()))
    print(*text[1:], sep='\n')
    return '\n'.join([text[0], *(f'- {line}' for line in text[1:]), ''])


def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.environ['HICLR_DATA'] = str(args.data)
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '1')))
    args.work_dir.mkdir(parents=True, exist_ok=True)
    curves = {(k, s): curve_of(k, s, args) for k in args.learners for s in args.sets}
    found: Curves = {}
    for key, curve in curves.items():
        curve.run()
        if args.fine_tune:
            for seed in args.seeds:
                fine_tune(curve, seed)
        found[key] = over_seeds(curve.cells, args.seeds)
    if args.together:
        name = ' + '.join(args.together)
        for s in args.sets:
            both = [curves[k, s] for k in args.together]
            file = args.work_dir / f'{name.replace(" ", "")}_{s}.json'
            cells = together(both, file, args.seeds)
            found[name, s] = over_seeds(cells, args.seeds)
    cost = steps({k: curves[k, args.sets[0]] for k in args.learners})
    write_text(show(found, args, cost), args.work_dir / 'learners.md')


if __name__ == '__main__':
    main()
