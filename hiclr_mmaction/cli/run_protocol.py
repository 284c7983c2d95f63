"""Pre-train an encoder and evaluate it by every protocol, with one table at the end.

Example:
    python tools/run_protocol.py configs/hiclr/hiclr_stgcn_msr.py --seed 0

Each step is a run of `train.py` or `test.py` in its own subfolder of the work folder. If it
is stopped, the same command resumes at that step and its last checkpoint. All results are
of the last epoch.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmaction.registry import LOOPS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import find_latest_checkpoint, set_random_seed

from ..apis import check_labels, featureless_clips
from ..atomic_write import write_text
from ..checkpoint import (
    build_model,
    read_checkpoint,
    write_checkpoint,
)
from ..checkpoint.preparation import stream_of
from ..datasets.wrapped import is_kind
from ..engine import FineTuneLoop
from ..evaluation.baselines import BASELINES, check_baselines
from ..evaluation.label_curve import DEFAULT_BASELINES, baseline_accuracies
from ..evaluation.protocol import PROTOCOLS
from ..skeleton.streams import STREAMS
from .common import (
    follow_training,
    load_config,
    one_line,
    settle,
    weights_file,
)
from .failures import ctrl_c_ignored, resumable
from .lock import work_dir_lock
from .results import read_results, recorded
from .tables import print_table
from .values import parse_options

# In the order in which they are run.
STEPS = ('pretrain', 'knn', *PROTOCOLS)
DEFAULT_STEPS = ('pretrain', 'knn', 'linear', 'finetune', 'semi')
NAMES = dict(
    linear='linear',
    finetune='fine-tuned',
    semi='semi-supervised',
    supervised='supervised from scratch',
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Pre-train an encoder and evaluate it by every protocol'
    )
    parser.add_argument(
        'config',
        help='config of the pre-training, X.py; the other steps are X_linear.py, '
        'X_finetune.py, ... (see configs/hiclr/README.md)',
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        help='folder of all steps and of results.json and results.md (default: '
        './work_dirs/<name of the config>_protocol)',
    )
    parser.add_argument(
        '--steps',
        nargs='+',
        choices=STEPS,
        default=DEFAULT_STEPS,
        help=f'what to run (default: {" ".join(DEFAULT_STEPS)})',
    )
    encoder = parser.add_mutually_exclusive_group()
    encoder.add_argument(
        '--checkpoint', help='evaluate this encoder instead of pre-training one'
    )
    encoder.add_argument(
        '--untrained',
        action='store_true',
        help='evaluate the encoder without pre-training (random weights)',
    )
    parser.add_argument('--seed', type=int, default=0, help='random seed (default: 0)')
    parser.add_argument(
        '--fraction',
        type=float,
        help='fraction of the labels for the step semi (default: 0.1)',
    )
    parser.add_argument(
        '--baselines',
        nargs='*',
        choices=BASELINES,
        metavar='NAME',
        help='add baselines without an encoder, on the same clips and, with the step semi, '
        f'the same labels: {", ".join(map(repr, BASELINES))} (no name: all but DTW)',
    )
    parser.add_argument(
        '--stream',
        choices=STREAMS,
        help="stream of all steps; overrides the configs' stream",
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        type=step_option,
        default=[],
        metavar='[STEP:]KEY=VALUE',
        help='settings to replace in every config, such as '
        'train_dataloader.dataset.split=xview_train, or in that of one step, such as '
        'pretrain:model.queue_size=256',
    )
    args = parser.parse_args(argv)
    if args.fraction is not None and not 0 < args.fraction <= 1:
        parser.error(f'--fraction {args.fraction}: give a number above 0, at most 1')
    if args.baselines == []:
        args.baselines = list(DEFAULT_BASELINES)
    try:
        check_baselines(sorted(args.baselines or ()))
    except ImportError as error:
        parser.error(f'{error} (--baselines)')
    return args


def step_option(text: str) -> str:
    """A `[STEP:]KEY=VALUE` that can be read; for argparse's `type`."""
    step, colon, setting = text.partition('=')[0].rpartition(':')
    if colon and step not in STEPS:
        raise argparse.ArgumentTypeError(
            f'{text}: {step} is no step; it is one of {", ".join(STEPS)}'
        )
    try:
        parse_options([text.removeprefix(step + colon)])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def step_config(path: Path, options: Sequence[str]) -> Config:
    """A config with options, as `train.py` merges them."""
    cfg = load_config(str(path))
    parsed = parse_options(options)
    settle(cfg, parsed)
    follow_training(cfg, parsed)
    return cfg


def check_stream(cfg: Config, stream: str, where: str) -> None:
    """End the program with a line unless a config is of a stream."""
    found = stream_of(cfg)
    if found != stream:
        sys.exit(
            f'{where} has the stream {found}, not {stream}: name the stream of all steps '
            'by --stream (or --streams) alone'
        )


class Protocol:
    """The steps of one encoder, and their results."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.config = Path(args.config)
        self.cfg = step_config(self.config, self.options('pretrain'))
        init_default_scope(self.cfg.get('default_scope', 'mmaction'))
        self.work_dir = (
            args.work_dir or Path('work_dirs') / f'{self.config.stem}_protocol'
        )
        self.file = self.work_dir / 'results.json'
        self.configs = {
            step: self.config.with_name(f'{self.config.stem}_{step}.py')
            for step in args.steps
            if step in PROTOCOLS
        }
        self.cfgs = {'pretrain': self.cfg}
        for step, path in self.configs.items():
            self.cfgs[step] = step_config(path, self.options(step))
        self.stream = args.stream or stream_of(self.cfg)
        for step, cfg in self.cfgs.items():
            check_stream(cfg, self.stream, f'{step} (--stream, --cfg-options)')
        self.recorded = {step: recorded(cfg) for step, cfg in self.cfgs.items()}
        if args.checkpoint is not None:
            args.checkpoint = weights_file(args.checkpoint)
        self.settings = dict(
            config=str(self.config),
            encoder=args.checkpoint or ('untrained' if args.untrained else 'pretrain'),
            seed=args.seed,
            stream=args.stream,
            fraction=args.fraction,
            cfg_options=sorted(args.cfg_options),
        )
        self.results: dict[str, dict[str, Any]] = {}

    def load(self) -> None:
        """Load the results of an earlier call, which must have the same settings."""
        before = read_results(self.file, self.settings, self.recorded)
        self.results = before.get('results', {})
        self.recorded = before.get('configs', {}) | self.recorded

    def save(self, **results: Any) -> None:
        """Store results of steps."""
        self.results |= results
        content = dict(
            settings=self.settings, results=self.results, configs=self.recorded
        )
        write_text(json.dumps(content, indent=1), self.file)

    def run(self) -> None:
        """Run the missing steps."""
        with work_dir_lock(self.work_dir):
            self.load()
            if {*self.args.steps} - {'pretrain', *self.results} or self.args.baselines:
                check_labels(self.cfg)
            self.save()
            self.run_steps()

    def run_steps(self) -> None:
        """Run the missing steps, in a locked folder."""
        for step in STEPS:
            wanted = step in self.args.steps
            if step == 'pretrain' and set(self.args.steps) - {'supervised'}:
                wanted = True  # the other steps need the encoder
            if not wanted:
                continue
            if step in self.results:
                print(f'{step}: done before', flush=True)
                continue
            print(f'{step}: begins', flush=True)
            start = time.time()
            run = self.train_and_test if step in PROTOCOLS else getattr(self, step)
            result = run(step)
            result['seconds'] = round(time.time() - start, 1)
            self.save(**{step: result})
        if self.args.baselines:
            self.baselines(self.args.baselines)

    def baselines(self, names: Sequence[str]) -> None:
        """Measure the baselines with all labels and with the labels of the step semi."""
        before = self.results.get('baselines', {}).get('accuracies', {})
        fractions = [1.0]
        if 'semi' in self.results:
            fractions.append(self.semi_fraction())
        missing = {
            f: [n for n in names if n not in before.get(str(f), {})] for f in fractions
        }
        if not any(missing.values()):
            print('baselines: done before', flush=True)
            return
        print('baselines: begins', flush=True)
        train, test = featureless_clips(self.cfg)
        for fraction, wanted in missing.items():
            found = baseline_accuracies(train, test, fraction, self.args.seed, wanted)
            before[str(fraction)] = {**before.get(str(fraction), {}), **found}
        self.save(baselines=dict(accuracies=before))

    def semi_fraction(self) -> float:
        """The fraction of the labels that was asked for in the step semi."""
        config = self.config.with_name(f'{self.config.stem}_semi.py')
        return step_config(config, self.options('semi')).fraction

    def pretrain(self, step: str) -> dict[str, Any]:
        """Pre-train the encoder, or use the given one."""
        if self.args.checkpoint is not None:
            return dict(checkpoint=self.args.checkpoint)
        folder = self.work_dir / step
        if self.args.untrained:
            folder.mkdir(exist_ok=True)
            path = folder / 'untrained.pth'
            write_checkpoint(self.initial_encoder(), path, overwrite=True)
            return dict(checkpoint=str(path), epoch=0)
        self.tool('train', step, self.config, '--seed', self.args.seed)
        return last_checkpoint(folder)

    def initial_encoder(self) -> dict[str, Any]:
        """A checkpoint of the initial model of `train.py` with this seed."""
        set_random_seed(self.args.seed)
        model = build_model(self.cfg.model, self.config)
        model.init_weights()
        return dict(state_dict=model.state_dict(), meta=dict(epoch=0))

    def knn(self, step: str) -> dict[str, Any]:
        """Evaluate the frozen features by k-NN."""
        encoder = self.results['pretrain']['checkpoint']
        self.tool('test', step, self.config, encoder)
        return dict(metrics=tested_metrics(self.work_dir / step))

    def train_and_test(self, step: str) -> dict[str, Any]:
        """Train on labels, then test the last epoch and keep its scores."""
        config = self.configs[step]
        options = []
        if step != 'supervised':
            encoder = Path(self.results['pretrain']['checkpoint']).resolve()
            options = [f'model.backbone.init_cfg.checkpoint={encoder}']
            if self.args.untrained:
                options += from_scratch(self.cfgs[step])
        seed = self.args.seed
        self.tool('train', step, config, '--seed', seed, options=options)
        result = last_checkpoint(self.work_dir / step)
        scores = self.work_dir / step / 'scores.pkl'
        self.tool(
            'test',
            step,
            config,
            result['checkpoint'],
            '--dump',
            scores,
            options=options,
        )
        chosen = self.work_dir / step / 'labelled_clips.json'
        if chosen.exists():
            choice = json.loads(chosen.read_text(encoding='utf-8'))
            # It can differ from the requested fraction: each class has at least one clip.
            result['fraction'] = len(choice['clips']) / choice['num_whole']
        metrics = tested_metrics(self.work_dir / step)
        return dict(result, config=str(config), scores=str(scores), metrics=metrics)

    def options(self, step: str) -> list[str]:
        """The command-line options for the config of a step."""
        stream = self.args.stream
        chosen = [] if stream is None else [f'model.data_preprocessor.stream={stream}']
        if step == 'semi' and self.args.fraction is not None:
            chosen.append(f'fraction={self.args.fraction}')
        return chosen + options_of(step, self.args.cfg_options)

    def tool(self, name: str, step: str, config: Path, *args: Any, options=()) -> None:
        """Run `train.py` or `test.py` in the folder of a step."""
        command = [sys.executable, '-m', f'hiclr_mmaction.cli.{name}', config, *args]
        command += ['--work-dir', self.work_dir / step]
        if name == 'train' and any((self.work_dir / step).glob('*.pth')):
            command.append('--resume')
        # Options of the command line come last and override the others.
        options = [*options, *self.options(step)]
        if options:
            command += ['--cfg-options', *options]
        with ctrl_c_ignored():  # by the step, which is ended here
            process = subprocess.Popen([str(part) for part in command])
        try:
            code = process.wait()
        finally:
            process.kill()
        if code:
            sys.exit(
                f'step {step} failed ({name}.py ended with {code}); see its message above. '
                'Run the same command again to resume from here'
            )


def from_scratch(cfg: Config) -> list[str]:
    """Options that take out what is for a backbone that has learnt."""
    options = [
        f'optim_wrapper.{name}=None'
        for name in ('paramwise_cfg', 'clip_grad')
        if name in cfg.optim_wrapper
    ]
    if is_kind(cfg.train_cfg, LOOPS, FineTuneLoop):
        options.append('train_cfg.type=ResumableTrainLoop')
    return options


def options_of(step: str, options: Sequence[str]) -> list[str]:
    """The options of `--cfg-options [STEP:]KEY=VALUE` for the config of a step."""
    # The k-NN uses the config of the pre-training.
    mine = ('pretrain', 'knn') if step in ('pretrain', 'knn') else (step,)
    chosen = []
    for option in options:
        name, colon, setting = option.partition(':')
        if not (colon and name in STEPS):
            chosen.append(option)
        elif name in mine:
            chosen.append(setting)
    return chosen


def last_checkpoint(folder: Path) -> dict[str, Any]:
    """The last checkpoint of a run and its epoch."""
    path = find_latest_checkpoint(str(folder))
    if path is None:
        sys.exit(
            f'{folder} has no last checkpoint: its config must have a CheckpointHook '
            'with save_last'
        )
    epoch = read_checkpoint(path)['meta']['epoch']
    return dict(checkpoint=path, epoch=epoch)


def tested_metrics(folder: Path) -> dict[str, float]:
    """Metrics of the last test in a work folder, from the file of the logger hook."""
    files = [p for p in folder.glob('*/*.json') if p.stem == p.parent.name]
    if not files:
        sys.exit(f'{folder} has no results of test.py: the config needs a LoggerHook')
    content = json.loads(max(files).read_text(encoding='utf-8'))
    return {k: v for k, v in content.items() if re.match('(acc|knn)/', k)}


def table_rows(results: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Protocol, epoch, top-1, top-5 and mean class accuracy in per cent."""

    def cells(metrics, *keys):
        return [
            '' if key not in metrics else f'{100 * metrics[key]:.2f}' for key in keys
        ]

    rows = []
    for key, value in results.get('knn', {}).get('metrics', {}).items():
        epoch = results['pretrain'].get('epoch', '')
        name = f'k-NN (k = {key.rpartition("k")[2]})'
        rows.append([name, str(epoch), *cells({key: value}, key), '', ''])
    for step in PROTOCOLS:
        if step in results:
            result = results[step]
            part = result.get('fraction')
            name = NAMES[step] + ('' if part is None else f' ({100 * part:.3g} %)')
            keys = ('acc/top1', 'acc/top5', 'acc/mean1')
            rows.append([name, str(result['epoch']), *cells(result['metrics'], *keys)])
    for fraction, found in results.get('baselines', {}).get('accuracies', {}).items():
        for method, accuracy in found.items():
            few = results.get('semi', {}).get('fraction', float(fraction))
            part = '' if fraction == '1.0' else f' ({100 * few:.3g} %)'
            rows.append(
                [method + part, '', *cells(dict(top1=accuracy), 'top1'), '', '']
            )
    return rows


HEADINGS = ('protocol', 'epoch', 'top-1', 'top-5', 'mean class')


def show(protocol: Protocol) -> None:
    """Print the table, and write it beside the results."""
    settings = protocol.settings
    encoder = dict(pretrain='pre-trained here').get(
        settings['encoder'], settings['encoder']
    )
    title = (
        f'{protocol.config.stem}, encoder {encoder}, seed {settings["seed"]}, '
        f'{protocol.stream} stream: accuracy after the last epoch, %'
    )
    path = protocol.work_dir / 'results.md'
    write_text(print_table(HEADINGS, table_rows(protocol.results), title), path)
    print(f'Also in {path} and {protocol.file}')


def main() -> None:
    # Also end the running step if this program is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.environ.setdefault('PYTHONUNBUFFERED', '1')
    protocol = Protocol(parse_args())
    with resumable():
        with one_line('error: '):
            protocol.run()
        show(protocol)
