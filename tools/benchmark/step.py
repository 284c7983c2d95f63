"""Measure a pre-training step: its parts, its memory, and what each switch gives.

Rows are variants of one config's model, measured in turns within one process; memory is
the peak of a process of its own. Clips are made up; a share of them holds one person.
On a machine that others use too, take one thread and ``--clock process``.

Example:
    python tools/benchmark/step.py --switches all --batch-size 128 512
"""

import argparse
import types
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from _checkout import Checkout
from _measure import (
    CLOCKS,
    Figures,
    add_common_arguments,
    devices,
    finish,
    import_released,
    in_turns,
    make_clips,
    peak_mb,
    ratio,
    run_apart,
    trace,
    wait,
)
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

import hiclr_mmaction  # noqa: F401
from hiclr_mmaction.engine.hooks import AccelerationHook
from hiclr_mmaction.evaluation.protocol import find_config, read_config

ROOT = Path(__file__).parents[2]
# Each alone, upon the plain config; 'fast' is the fast config with all of them.
SWITCHES = dict(
    stock=dict(model={'backbone.frames_first': False}),
    skip_absent=dict(model={'backbone.skip_absent': True}),
    # Clips that stay where the model is, against those that a loader brings.
    resident=dict(resident=True),
    foreach=dict(optimizer=dict(foreach=True)),
    fused=dict(optimizer=dict(fused=True)),
    bf16=dict(bf16=True),
    tf32=dict(acceleration=dict(tf32=True, compile=False)),
    compile=dict(acceleration=dict(tf32=False, compile=True)),
    fast=dict(config='hiclr_stgcn_ntu60_fast.py'),
)
GPU_ONLY = ('resident', 'bf16', 'tf32', 'compile')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measure a pre-training step')
    parser.add_argument(
        '--config', default='hiclr_stgcn_ntu60.py', help='the plain one'
    )
    parser.add_argument('--batch-size', type=int, nargs='+', default=[32])
    parser.add_argument(
        '--single', type=float, default=0.75, help='share of clips with one person'
    )
    parser.add_argument(
        '--switches',
        nargs='*',
        default=['stock', 'skip_absent'],
        metavar='SWITCH',
        help=f'of {", ".join(SWITCHES)}; or all (on a CPU, all that a CPU has)',
    )
    parser.add_argument('--rounds', type=int, default=3, help='turns of each row')
    parser.add_argument('--threads', type=int, help='by default as PyTorch chooses')
    parser.add_argument(
        '--clock',
        choices=['wall', 'process'],
        default='wall',
        help='process: seconds of processor time, all threads together',
    )
    parser.add_argument(
        '--no-memory', action='store_true', help='leave out the processes for memory'
    )
    add_common_arguments(parser, released=True)
    args = parser.parse_args(argv)
    if args.switches == ['all']:
        on_gpu = torch.cuda.is_available() and args.device != 'cpu'
        args.switches = [s for s in SWITCHES if on_gpu or s not in GPU_ONLY]
    for switch in args.switches:
        if switch not in SWITCHES:
            parser.error(
                f'--switches: {switch} is unknown; known: {", ".join(SWITCHES)}'
            )
    return args


class Parts:
    """Milliseconds that the parts of one step take."""

    def __init__(self, device: torch.device, clock: Callable[[], float]) -> None:
        self.device, self.clock = device, clock
        self.ms: dict[str, float] = {}

    @contextmanager
    def part(self, name: str):
        wait(self.device)
        start = self.clock()
        yield
        wait(self.device)
        self.ms[f'{name}_ms'] = 1000 * (self.clock() - start)

    def within_forward(self, owner: object, method: str, name: str) -> None:
        """Measure a method that the forward calls as a part of its own."""
        function = getattr(owner, method)

        def measured(*args, **kwargs):
            with self.part(name):
                return function(*args, **kwargs)

        setattr(owner, method, measured)

    def taken(self) -> dict[str, float]:
        inner = self.ms['ema_ms'] + self.ms['queue_ms']
        return dict(self.ms, forward_ms=self.ms['forward_ms'] - inner)


def our_step(
    config: str,
    clips: torch.Tensor,
    parts: Parts | None = None,
    model: dict | None = None,
    optimizer: dict | None = None,
    bf16: bool = False,
    acceleration: dict | None = None,
    resident: bool = False,
) -> Callable[[], None]:
    """A step of a config's model, with options of it changed."""
    init_default_scope('mmaction')
    cfg = read_config(find_config(config) or config)
    cfg.merge_from_dict({f'model.{k}': v for k, v in (model or {}).items()})
    cfg.optim_wrapper.optimizer.update(optimizer or {})
    if bf16:
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
    device = clips.device
    net = MODELS.build(cfg.model)
    net.to(device).train()
    hooks = [dict(h) for h in cfg.custom_hooks if h['type'] == 'AccelerationHook']
    for options in [*hooks, *([acceleration] if acceleration else [])]:
        options.pop('type', None)
        AccelerationHook(**options).accelerate(net, device)
    wrapper = build_optim_wrapper(net, cfg.optim_wrapper)
    # The released way: what the loader gives lies in the memory of the CPU, and is copied.
    if not (resident or cfg.train_dataloader.dataset.type == 'ResidentClips'):
        clips = _on_cpu(clips)
    data = dict(inputs=clips)
    if parts is not None:
        parts.within_forward(net.key_encoder, 'update_parameters', 'ema')
        parts.within_forward(net.queue, 'enqueue', 'queue')
    part = parts.part if parts else _untimed

    def step() -> None:
        with wrapper.optim_context(net):
            with part('views'):
                inputs = net.data_preprocessor(data, True)['inputs']
            with part('forward'):
                loss, _ = net.parse_losses(net.loss(inputs))
        with part('backward'):
            wrapper.zero_grad()
            loss.backward()
        with part('optimiser'):
            wrapper.optimizer.step()

    return step


@contextmanager
def _untimed(name: str):
    yield


def _on_cpu(clips: torch.Tensor) -> torch.Tensor:
    """Clips as a loader gives them, in pinned memory where there is a GPU."""
    clips = clips.cpu()
    return clips.pin_memory() if torch.cuda.is_available() else clips


def released_step(
    folder: Path, clips: torch.Tensor, parts: Parts | None = None
) -> Callable[[], None]:
    """The step of the released recipe, by the released code."""
    import_released(folder, 'torchlight')
    hiclr = import_released(folder, 'net.hiclr')[0]
    graph = dict(layout='ntu-rgb+d', strategy='spatial')
    widths = dict(hidden_channels=16, hidden_dim=256, feature_dim=128)
    edges = dict(graph_args=graph, dropout_graph=0.0, add_graph=0.0)
    model = hiclr.HiCLR('net.st_gcn.Model', dropout=0.5, **widths, **edges)
    device = clips.device
    model.to(device).train()
    if device.type == 'cpu':
        # It asks for the number of its GPU and moves what it makes there.
        model._dequeue_and_enqueue = types.MethodType(_enqueue_on_cpu, model)
        torch.Tensor.cuda = lambda self, *args, **kwargs: self
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4
    )
    clips = clips.permute(0, 4, 2, 3, 1).contiguous()
    num, _, frames, joints, persons = clips.shape
    mask = (torch.rand(num, frames, 1, joints, 1, device=device) > 0.1).float()
    mask = mask.repeat(1, 1, persons, 1, 3)
    part = parts.part if parts else _untimed
    if parts is not None:
        parts.within_forward(model, '_momentum_update_key_encoder', 'ema')
        parts.within_forward(model, '_dequeue_and_enqueue', 'queue')

    def step() -> None:
        with part('forward'):
            logits, label, prob1, prob2, target1, target2 = (
                model.forward_pretrain_wmask(clips, clips, clips, clips, mask=mask)
            )
            model.update_ptr(num)
            loss = F.cross_entropy(logits, label)
            for prob, target in ((prob1, target1), (prob2, target2)):
                loss = loss - 0.5 * (prob.log() * target).sum(1).mean()
        with part('backward'):
            optimizer.zero_grad()
            loss.backward()
        with part('optimiser'):
            optimizer.step()

    return step


def _enqueue_on_cpu(self, keys: torch.Tensor) -> None:
    start = int(self.queue_ptr)
    self.queue[:, start : start + len(keys)] = keys.T


def make_step(
    name: str, args: argparse.Namespace, clips: torch.Tensor, parts: Parts | None = None
) -> Callable[[], None]:
    if name == 'released':
        return released_step(args.released, clips, parts)
    options = {'config': args.config, **SWITCHES.get(name, {})}
    return our_step(clips=clips, parts=parts, **options)


def peak_apart(name: str, args: argparse.Namespace, num: int, device: str) -> float:
    """Peak memory of two steps; in a process of its own."""
    if args.threads:
        torch.set_num_threads(args.threads)
    step = make_step(name, args, make_clips(num, args.single, torch.device(device)))
    for _ in range(2):  # the second has the optimiser's state from the start
        step()
    return peak_mb(torch.device(device))


def measure(
    args: argparse.Namespace, names: list[str], num: int, device: torch.device
) -> Figures:
    clips = make_clips(num, args.single, device)
    # The whole is measured apart: within its parts a GPU waits for the program.
    whole = {name: make_step(name, args, clips) for name in names}
    # Both checkouts in processes of their own, that they are alike in all else.
    others = {
        name: Checkout(folder, 'step', num, device.type, args.clock, args.threads)
        for name, folder in (('here', ROOT), ('against', args.against))
        if args.against
    }
    times = in_turns({**whole, **others}, args.rounds, 0, device, args.clock)
    del whole
    figures: Figures = {}
    for name, taken in times.items():
        row = dict(step_s=min(taken), samples_per_s=num / min(taken))
        for other in ('released', 'plain', 'against'):
            if other in times and (other == 'against') == (name in others):
                row[f'over_{other}'] = ratio(times, name, other)
        if name in others:
            others[name].close()
        else:
            parts = Parts(device, CLOCKS[args.clock])
            make_step(name, args, clips, parts)()
            row |= parts.taken()
            if not args.no_memory:
                row['peak_mb'] = run_apart(peak_apart, name, args, num, device.type)
        figures[f'{device.type} {num} {name}'] = row
    return figures


def main(argv=None) -> None:
    args = parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    names = ['plain', *args.switches]
    if args.released:
        names.insert(0, 'released')
    figures: Figures = {}
    for device in devices(args.device):
        for num in args.batch_size:
            figures |= measure(args, names, num, device)
    if args.profile:
        clips = make_clips(args.batch_size[0], args.single, devices(args.device)[-1])
        step = make_step(names[-1], args, clips)
        step()
        with trace(args.profile):
            step()
    settings = dict(
        config=args.config, single=args.single, clock=args.clock, rounds=args.rounds
    )
    finish(args, settings, figures, 'A pre-training step')


if __name__ == '__main__':
    main()
