"""Measure the accuracy for several numbers of labels, and compare it with plain baselines.

Example:
    python tools/label_curve.py configs/hiclr/hiclr_stgcn_msr.py

For each seed an encoder is pre-trained on all training clips without labels, unless
--checkpoint gives one. Then every read-out, the baselines, fine-tuning and training from
scratch use 5, 10, 20, 50 and 100 % of the labels of each class. The same command resumes a
stopped run.
"""

import argparse
import json
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.registry import init_default_scope

from ..apis import (
    PARTS,
    baseline_clips,
    build_dataset,
    check_labels,
    dataset_features,
    init_encoder,
)
from ..atomic_write import write_text
from ..checkpoint.preparation import stream_of
from ..datasets import choose_clips
from ..evaluation.baselines import BASELINES, check_baselines
from ..evaluation.label_curve import (
    CHOSEN,
    DEFAULT_BASELINES,
    HYBRID,
    EvaluatedClips,
    baseline_accuracies,
    choices,
    conclusions,
    over_seeds,
    prepared,
    readout_accuracies,
)
from ..evaluation.readouts import READOUTS
from ..skeleton.streams import STREAMS
from ..visualization.label_curve import draw_label_curve
from . import run_protocol
from .common import merge_options, one_line, weights_file
from .failures import resumable
from .lock import work_dir_lock
from .results import read_results, recorded
from .tables import print_table
from .values import add_device, parse_options

STREAM = 'model.data_preprocessor.stream'
SCRATCH, FINETUNED = 'from scratch', 'fine-tuned'


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Measure the accuracy for several numbers of labels, and compare it '
        'with plain baselines'
    )
    parser.add_argument('config', help='config of the pre-training')
    parser.add_argument(
        '--fractions',
        nargs='+',
        type=float,
        default=[0.05, 0.1, 0.2, 0.5, 1.0],
        metavar='F',
        help='fractions of the labels of each class (default: 0.05 0.1 0.2 0.5 1)',
    )
    parser.add_argument(
        '--seeds', nargs='+', type=int, default=[0, 1, 2], help='default: 0 1 2'
    )
    parser.add_argument(
        '--streams',
        nargs='+',
        choices=STREAMS,
        help='one encoder per stream; their features are concatenated (default: the '
        "config's stream)",
    )
    parser.add_argument(
        '--views',
        type=int,
        default=12,
        help='views of each training clip, from which the read-outs learn to ignore '
        'differences between views (default: 12; 0: features are only standardised)',
    )
    parser.add_argument(
        '--baselines',
        nargs='*',
        choices=BASELINES,
        default=list(DEFAULT_BASELINES),
        metavar='NAME',
        help=f'of {", ".join(map(repr, BASELINES))} (default: all but DTW); none: no name',
    )
    parser.add_argument(
        '--no-training',
        action='store_true',
        help='skip fine-tuning and training from scratch, which take longest',
    )
    parser.add_argument(
        '--no-hybrid',
        action='store_true',
        help="leave out the ridge on the encoder's and MiniRocket's features",
    )
    parser.add_argument(
        '--work-dir', type=Path, help='default: ./work_dirs/<name>_curve'
    )
    parser.add_argument(
        '--checkpoint',
        help='evaluate this encoder of the same skeleton, a file or a name of the zoo, '
        'instead of pre-training one for each seed',
    )
    add_device(parser)
    parser.add_argument(
        '--cfg-options', nargs='+', type=run_protocol.step_option, default=[],
        metavar='[STEP:]KEY=VALUE',
        help='settings to replace, as in tools/run_protocol.py',
    )  # fmt: skip
    args = parser.parse_args(argv)
    for fraction in args.fractions:
        if not 0 < fraction <= 1:
            parser.error(f'--fractions {fraction:g}: write 10 % as 0.1')
    if args.views < 0 or args.views == 1:
        parser.error(f'--views {args.views}: give 2 or more, or 0')
    if min(args.seeds) < 0:
        parser.error(f'--seeds {min(args.seeds)}: give numbers of 0 or more')
    if args.checkpoint is not None and len(args.streams or ()) > 1:
        parser.error('--checkpoint is an encoder of one stream; name one in --streams')
    if args.checkpoint is not None:
        args.checkpoint = weights_file(args.checkpoint)
    needed = {*args.baselines, *(() if args.no_hybrid else ('MiniRocket',))}
    try:
        check_baselines(sorted(needed))
    except ImportError as error:
        parser.error(f'{error} (--baselines, --no-hybrid)')
    return args


class LabelCurve:
    """The cells of the table, measured and missing."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.config = Path(args.config)
        self.readouts = [*READOUTS, CHOSEN, *([] if args.no_hybrid else [HYBRID])]
        self.trained = [] if args.no_training else [FINETUNED, SCRATCH]
        paths = {'pretrain': self.config}
        if self.trained:
            paths['semi'] = self.config.with_name(f'{self.config.stem}_semi.py')
        configs = {
            step: run_protocol.step_config(path, self.options(step))
            for step, path in paths.items()
        }
        self.cfg = configs['pretrain']
        self.streams = args.streams or [stream_of(self.cfg)]
        for stream in self.streams:
            for step, cfg in configs.items():
                # As the steps do, which put options after the stream.
                cfg = cfg.copy()
                merge_options(cfg, {STREAM: stream})
                merge_options(cfg, parse_options(self.options(step)))
                run_protocol.check_stream(cfg, stream, f'{step} by --cfg-options')
        self.recorded = {step: recorded(cfg) for step, cfg in configs.items()}
        init_default_scope(self.cfg.get('default_scope', 'mmaction'))
        self.work_dir = args.work_dir or Path('work_dirs') / f'{self.config.stem}_curve'
        self.file = self.work_dir / 'curve.json'
        self.settings = dict(
            config=str(self.config),
            streams=self.streams,
            views=args.views,
            cfg_options=sorted(args.cfg_options),
            checkpoint=args.checkpoint,
        )
        self.cells: dict[tuple[str, float, int], float] = {}
        # By fraction and seed: number of labelled clips, and the read-out of the rule.
        self.clips: dict[tuple[float, int], int] = {}
        self.chosen: dict[tuple[float, int], str] = {}

    def options(self, step: str) -> list[str]:
        """The options for the config of a step."""
        return run_protocol.options_of(step, self.args.cfg_options)

    def load(self) -> None:
        """Load the cells of an earlier call, which must have the same settings."""
        before = read_results(self.file, self.settings, self.recorded)
        self.recorded = before.get('configs', {}) | self.recorded
        for name in ('cells', 'clips', 'chosen'):
            rows = before.get(name, [])
            setattr(self, name, {tuple(key): value for *key, value in rows})

    def add(self, found: dict[str, float], fraction: float, seed: int) -> None:
        """Record accuracies."""
        self.cells |= {(name, fraction, seed): v for name, v in found.items()}
        self.save()

    def save(self) -> None:
        """Write what is measured."""
        rows = {
            name: [[*key, value] for key, value in getattr(self, name).items()]
            for name in ('cells', 'clips', 'chosen')
        }
        content = dict(settings=self.settings, **rows, configs=self.recorded)
        write_text(json.dumps(content, indent=1), self.file)

    def run(self) -> None:
        """Measure the cells that are missing."""
        with work_dir_lock(self.work_dir):
            self.load()
            self.measure()

    def measure(self) -> None:
        """Measure the cells that are missing, in a locked folder."""
        methods = [*self.args.baselines, *self.readouts, *self.trained]
        if any(
            self.missing(methods, fraction, seed)
            for fraction in self.args.fractions
            for seed in self.args.seeds
        ):
            check_labels(self.cfg)
        self.save()
        for seed in self.args.seeds:
            encoders = {s: self.pretrain(seed, s) for s in self.streams}
            self.read_out(seed, encoders)
            if not self.trained:
                continue
            stream = self.streams[0]
            for fraction in self.args.fractions:
                where = fraction, seed, stream
                self.train(FINETUNED, *where, checkpoint=encoders[stream])
                self.train(SCRATCH, *where, untrained=True)

    def protocol(
        self,
        name: str,
        seed: int,
        stream: str,
        step: str,
        checkpoint: str | None = None,
        untrained: bool = False,
        fraction: float | None = None,
    ) -> dict:
        """The result of a step of :mod:`.run_protocol`, run in a folder of its own."""
        args = Namespace(
            config=str(self.config),
            work_dir=self.work_dir / f'seed{seed}' / name,
            steps=[step],
            checkpoint=checkpoint,
            untrained=untrained,
            seed=seed,
            stream=stream,
            fraction=fraction,
            cfg_options=self.args.cfg_options,
            baselines=None,
        )
        protocol = run_protocol.Protocol(args)
        protocol.run()
        return protocol.results[step]

    def pretrain(self, seed: int, stream: str) -> str:
        """The checkpoint of an encoder."""
        if self.args.checkpoint is not None:
            return self.args.checkpoint
        return self.protocol(stream, seed, stream, 'pretrain')['checkpoint']

    def missing(self, names: Iterable[str], fraction: float, seed: int) -> list[str]:
        """The methods of these names that are not measured yet."""
        return [name for name in names if (name, fraction, seed) not in self.cells]

    def read_out(self, seed: int, encoders: dict[str, str]) -> None:
        """Measure baselines and read-outs, which need no training loop."""
        methods = [*self.args.baselines, *self.readouts]
        fractions = [f for f in self.args.fractions if self.missing(methods, f, seed)]
        if not fractions:
            return
        train, test = self.evaluated(seed, encoders)
        for fraction in fractions:
            draw = train, test, fraction, seed
            labels = train.labels.tolist()
            self.clips[fraction, seed] = len(
                choose_clips(train.names, labels, seed, fraction)
            )
            baselines = self.missing(self.args.baselines, fraction, seed)
            self.add(baseline_accuracies(*draw, baselines), fraction, seed)
            if self.missing(self.readouts, fraction, seed):
                found, chosen = readout_accuracies(*draw, HYBRID in self.readouts)
                self.chosen[fraction, seed] = chosen
                self.add(found, fraction, seed)

    def evaluated(
        self, seed: int, encoders: dict[str, str]
    ) -> tuple[EvaluatedClips, EvaluatedClips]:
        """Labelled training and test clips, and their features by all encoders."""
        datasets = [build_dataset(self.cfg, part) for part in PARTS]
        blocks = []
        for stream, checkpoint in encoders.items():
            cfg = self.cfg.copy()
            cfg.merge_from_dict({STREAM: stream})
            encoder = init_encoder(cfg, checkpoint, self.args.device)
            train, test = (
                dataset_features(encoder, dataset, num_views=views, seed=seed)
                for dataset, views in zip(datasets, (self.args.views, 0), strict=True)
            )
            for found in zip(train.views, train.layers, test.layers, strict=True):
                blocks.append(prepared(*found, seed=seed))
        # All layers and streams have the same weight.
        features = (
            np.concatenate(b, axis=1) / np.sqrt(len(b))
            for b in zip(*blocks, strict=True)
        )
        return tuple(
            EvaluatedClips(clips, found, labels, names).labelled()
            for found, (clips, labels, names) in zip(
                features,
                (baseline_clips(self.cfg, p) for p in PARTS),
                strict=True,
            )
        )

    def train(
        self, method: str, fraction: float, seed: int, stream: str, **encoder: Any
    ) -> None:
        """Fine-tune a pre-trained or random encoder on a fraction of the labels."""
        if self.missing([method], fraction, seed):
            name = f'{method.replace(" ", "_")}_{fraction:g}'
            result = self.protocol(
                name, seed, stream, 'semi', fraction=fraction, **encoder
            )
            self.add({method: result['metrics']['acc/top1']}, fraction, seed)

    def show(self) -> None:
        """Print the table and its conclusions; write both, and the picture."""
        asked = {k: v for k, v in self.cells.items() if k[1] in self.args.fractions}
        curve = over_seeds(asked, self.args.seeds)
        streams = ' + '.join(self.streams)
        title = (
            f'{self.config.stem} ({streams}): top-1, %, mean ± spread of seeds '
            f'{", ".join(map(str, self.args.seeds))}; last epoch'
        )
        fractions = sorted({f for row in curve.values() for f in row})
        headings = ['method', *(f'{100 * f:g} %' for f in fractions)]
        counts = [
            [n for (f, s), n in self.clips.items() if f == g and s in self.args.seeds]
            for g in fractions
        ]
        rows = [
            ['labelled clips', *(f'{np.mean(n):.4g}' if n else '' for n in counts)],
            *(
                [name, *(str(row[f]) if f in row else '' for f in fractions)]
                for name, row in curve.items()
            ),
        ]
        table = print_table(headings, rows, title)
        of_rule = {
            key: name
            for key, name in self.chosen.items()
            if key[0] in fractions and key[1] in self.args.seeds
        }
        said = [*choices(of_rule), *conclusions(curve)]
        print(*said, sep='\n')
        text = '\n'.join([table, *(f'- {s}' for s in said), ''])
        write_text(text, self.work_dir / 'curve.md')
        figure = draw_label_curve(curve, self.config.stem, (*BASELINES, SCRATCH))
        figure.savefig(self.work_dir / 'curve.png', dpi=120)
        print(f'Also in {self.work_dir}: curve.md, curve.png, curve.json')


def main(argv=None) -> None:
    # Also end the running step if this program is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.environ.setdefault('PYTHONUNBUFFERED', '1')
    curve = LabelCurve(parse_args(argv))
    with resumable():
        with one_line('error: '):
            curve.run()
        curve.show()
