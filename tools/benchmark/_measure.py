"""What the benchmarks have in common: options, turns, tables, traces, the released code.

Figures are a dict of rows, ``{name: {column: number}}``. Times and ratios are told by
the end of a column's name (``_ms``, ``_s``, ``_mb``, ``_per_s``).
"""

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import platform
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from rich.console import Console
from rich.table import Table

Figures = dict[str, dict[str, float | None]]
Key = TypeVar('Key')
CLOCKS = dict(wall=time.perf_counter, process=time.process_time)


def add_common_arguments(
    parser: argparse.ArgumentParser, released: bool = False
) -> None:
    """Add the options that the benchmarks share; those of other code if ``released``."""
    parser.add_argument(
        '--out', type=Path, metavar='FILE.json', help='where the figures are written'
    )
    parser.add_argument(
        '--profile',
        type=Path,
        metavar='TRACE.json',
        help='where a trace is written, for chrome://tracing or ui.perfetto.dev',
    )
    if released:
        parser.add_argument(
            '--device', choices=['cpu', 'cuda'], help='by default all that there are'
        )
        parser.add_argument(
            '--released',
            type=Path,
            metavar='DIR',
            help='a checkout of github.com/JHang2020/HiCLR, measured in turns with ours',
        )
        parser.add_argument(
            '--against',
            type=Path,
            metavar='DIR',
            help='another checkout of this project, measured in turns with this one',
        )


def devices(chosen: str | None = None) -> list[torch.device]:
    """The CPU, and the GPU where there is one; or the one that is chosen."""
    if chosen == 'cuda' and not torch.cuda.is_available():
        sys.exit('--device cuda: torch finds no GPU')
    both = ['cpu'] + (['cuda'] if torch.cuda.is_available() else [])
    return [torch.device(name) for name in ([chosen] if chosen else both)]


def machine() -> dict[str, str | int]:
    """What the figures depend on."""
    facts = dict(
        processor=platform.processor() or platform.machine(),
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=torch.__version__,
    )
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            facts['processor'] = line.partition(':')[2].strip()
    if torch.cuda.is_available():
        facts['gpu'] = torch.cuda.get_device_name()
    return facts


def proc_mb(field: str, file: str = 'status', pid: int | str = 'self') -> float:
    """A line of ``/proc/PID/status`` or another such file, in MiB."""
    for line in Path(f'/proc/{pid}/{file}').read_text().splitlines():
        if line.startswith(f'{field}:'):
            return int(line.split()[1]) / 1024
    raise ValueError(f'/proc/{pid}/{file} has no {field}')


def peak_mb(device: torch.device) -> float:
    """Peak memory of the GPU by this process, or of this process, in MiB.

    ``getrusage`` would tell the peak of the process that started this one, where that
    was larger: Linux hands it on.
    """
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated() / 2**20
    return proc_mb('VmHWM')


def run_apart(function: Callable, *args: Any) -> Any:
    """Call a function in a process of its own, which has not made what this one has."""
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as executor:
        return executor.submit(function, *args).result()


def make_clips(num: int, single: float, device: torch.device | str) -> torch.Tensor:
    """Clips ``(N, 2, 50, 25, 3)``; a share of them has no second person."""
    clips = torch.randn(num, 2, 50, 25, 3, device=device)
    clips[: round(num * single), 1] = 0
    return clips


def wait(device: torch.device) -> None:
    """Return when the device has done all that it was given."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def seconds(
    function: Callable[[], object],
    calls: int,
    device: torch.device,
    clock: Callable[[], float],
) -> float:
    """Seconds that so many calls take on a device."""
    wait(device)
    start = clock()
    for _ in range(calls):
        function()
    wait(device)
    return clock() - start


def in_turns(
    candidates: dict[Key, Any],
    rounds: int = 5,
    min_seconds: float = 0.2,
    device: torch.device | str = 'cpu',
    clock: str = 'wall',
) -> dict[Key, list[float]]:
    """Measure functions in turns, so that a change of the machine's speed meets all.

    Args:
        candidates (dict): By name, functions without arguments, or what measures
            itself: ``seconds(calls)``, as a :class:`Checkout` does.
        rounds (int): Turns of each.
        min_seconds (float): A function is called as often in a turn as this takes.
        device (torch.device | str): Where they work.
        clock (str): ``'process'`` on one thread of a CPU that others use too.

    Returns:
        dict: Seconds a call, one for each turn.
    """

    def a_call(function: Any, calls: int) -> float:
        if hasattr(function, 'seconds'):
            return function.seconds(calls) / calls
        return seconds(function, calls, torch.device(device), CLOCKS[clock]) / calls

    calls = {}
    for name, function in candidates.items():
        a_call(function, 1)  # what is done once: caches, compilation, allocation
        calls[name] = max(1, round(min_seconds / max(a_call(function, 1), 1e-9)))
    times: dict[Key, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, function in candidates.items():
            times[name].append(a_call(function, calls[name]))
    return times


def ratio(times: dict[Key, list[float]], name: Key, to: Key) -> float:
    """Median over the turns of the time of one over that of another."""
    pairs = zip(times[name], times[to], strict=True)
    return statistics.median(a / b for a, b in pairs)


def compare_accuracies(
    make_config: Callable[[str, int], Config],
    variants: Iterable[str],
    seeds: Iterable[int],
    out: Path | None,
) -> None:
    """Pre-train each variant with each seed in a folder that is removed again.

    Prints the k-NN accuracies after the last epoch, percent, and their means over the
    seeds; writes all to ``out``.
    """
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in variants}
    for seed in seeds:
        for variant, row in figures.items():
            cfg = make_config(variant, seed)
            cfg.randomness.seed = seed
            cfg.experiment_name = f'{variant}_{seed}'
            cfg.train_cfg.val_interval = cfg.train_cfg.max_epochs
            with tempfile.TemporaryDirectory() as cfg.work_dir:
                runner = Runner.from_cfg(cfg)
                runner.train()
            for name, history in runner.message_hub.log_scalars.items():
                if name.startswith('val/knn/'):
                    value = 100 * history.current()
                    row.setdefault(name.removeprefix('val/'), []).append(value)
                    print(f'{variant} seed {seed} {name}: {value:.1f} %', flush=True)
    for variant, row in figures.items():
        means = (f'{k} {statistics.mean(v):.1f} %' for k, v in row.items())
        print(variant, 'mean', *means)
    if out:
        out.write_text(json.dumps(figures, indent=1))


@contextmanager
def trace(path: Path | None) -> Iterator[None]:
    """Profile what is done within, write a trace, and print the dearest operators."""
    if path is None:
        yield
        return
    activities = [torch.profiler.ProfilerActivity.CPU]
    if torch.cuda.is_available():
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities, record_shapes=True) as profiler:
        yield
    path.parent.mkdir(parents=True, exist_ok=True)
    profiler.export_chrome_trace(str(path))
    averages = profiler.key_averages()
    order = f'self_{"cuda" if torch.cuda.is_available() else "cpu"}_time_total'
    print(averages.table(sort_by=order, row_limit=15, max_name_column_width=40))
    print(f'trace: {path}')


def finish(
    args: argparse.Namespace, settings: dict, figures: Figures, title: str
) -> None:
    """Print the figures as a table, and write them where --out says."""
    # A file or a pipe has no width of its own to wrap the table to.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    columns = list(dict.fromkeys(c for row in figures.values() for c in row))
    table = Table('', *columns, title=title)
    for name, row in figures.items():
        cells = (
            (f'{v:,.0f}' if v >= 1000 else f'{v:.4g}') if v is not None else '-'
            for v in map(row.get, columns)
        )
        table.add_row(name, *cells)
    console.print(table)
    report = dict(machine=machine(), settings=settings, figures=figures)
    console.print(', '.join(f'{k} {v}' for k, v in report['machine'].items()))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(report, indent=1) + '\n')


def import_released(folder: Path, *modules: str) -> list[types.ModuleType]:
    """Import modules of a checkout of the released HiCLR, such as ``'net.hiclr'``.

    The released code imports h5py to write files that no benchmark writes; where it is
    not installed (its releases of that time do not go with numpy 2), an empty module
    stands in for it.
    """
    if not (folder / 'feeder' / 'ntu_feeder.py').is_file():
        sys.exit(
            f'--released: {folder} is not a checkout of github.com/JHang2020/HiCLR: it has '
            'no feeder/ntu_feeder.py'
        )
    if 'h5py' not in sys.modules and importlib.util.find_spec('h5py') is None:
        sys.modules['h5py'] = types.ModuleType('h5py')
    sys.path.insert(0, str(folder.resolve()))
    return [importlib.import_module(name) for name in modules]
