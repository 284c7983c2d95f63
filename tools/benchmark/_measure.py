"""What the benchmarks have in common: options, turns, tables, traces, the released code.

Figures are a dict of rows, ``{name: {column: number}}``. Times and ratios are told by
the end of a column's name (``_ms``, ``_s``, ``_mb``, ``_per_s``).
"""

import argparse
import importlib
import importlib.util
import json
import platform
import resource
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from _checkout import Checkout
from mmengine.config import Config
from mmengine.runner import Runner
from rich.console import Console
from rich.table import Table

Figures = dict[str, dict[str, float | None]]
Key = TypeVar('Key')


def add_common_arguments(
    parser: argparse.ArgumentParser, released: bool = False
) -> None:
    """Add the options that the benchmarks share; those of other code if ``released``."""
    parser.add_argument(
        '--out', type=Path, metavar='FILE.json', help='where the figures are written'
    )
    parser.add_argument(
        '--compare',
        type=Path,
        metavar='STORED.json',
        help='figures that an earlier --out wrote, to compare with',
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
        processor=_processor(),
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=torch.__version__,
    )
    if torch.cuda.is_available():
        facts['gpu'] = torch.cuda.get_device_name()
    return facts


def _processor() -> str:
    info = Path('/proc/cpuinfo')
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()


def own_peak_mb() -> float:
    """Peak resident memory of this process, in MiB.

    ``getrusage`` would tell the peak of the process that started this one, where that
    was larger: Linux hands it on.
    """
    status = Path('/proc/self/status')
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_mb(device: torch.device) -> float:
    """Peak memory of the GPU by this process, or of this process, in MiB."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated() / 2**20
    return own_peak_mb()


def make_clips(num: int, single: float, device: torch.device | str) -> torch.Tensor:
    """Clips ``(N, 2, 50, 25, 3)``; a share of them has no second person."""
    clips = torch.randn(num, 2, 50, 25, 3, device=device)
    clips[: round(num * single), 1] = 0
    return clips


def wait(device: torch.device) -> None:
    """Return when the device has done all that it was given."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def in_turns(
    candidates: dict[Key, Callable[[], object] | Checkout],
    rounds: int = 5,
    min_seconds: float = 0.2,
    device: torch.device | str = 'cpu',
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Key, list[float]]:
    """Measure functions in turns, so that a change of the machine's speed meets all.

    Args:
        candidates (dict): Functions without arguments, or processes, by name.
        rounds (int): Turns of each.
        min_seconds (float): A function is called as often in a turn as this takes.
        device (torch.device | str): Where they work.
        clock (Callable): ``time.process_time`` on one thread of a CPU that others use
            too.

    Returns:
        dict: Seconds a call, one for each turn.
    """
    device = torch.device(device)

    def seconds(function: Callable[[], object] | Checkout, calls: int) -> float:
        if isinstance(function, Checkout):
            return function.seconds(calls) / calls
        wait(device)
        start = clock()
        for _ in range(calls):
            function()
        wait(device)
        return (clock() - start) / calls

    calls = {}
    for name, function in candidates.items():
        seconds(function, 1)  # what is done once: caches, compilation, allocation
        calls[name] = max(1, round(min_seconds / max(seconds(function, 1), 1e-9)))
    times: dict[Key, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, function in candidates.items():
            times[name].append(seconds(function, calls[name]))
    return times


def ratio(times: dict[Key, list[float]], name: Key, to: Key) -> float:
    """Median over the turns of the time of one over that of another."""
    pairs = zip(times[name], times[to], strict=True)
    return statistics.median(a / b for a, b in pairs)


def accuracies(cfg: Config) -> dict[str, float]:
    """Train in a folder that is removed again; the last k-NN accuracies, percent."""
    cfg.train_cfg.val_interval = cfg.train_cfg.max_epochs
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = Runner.from_cfg(cfg)
        runner.train()
    history = runner.message_hub.log_scalars
    return {
        name.removeprefix('val/'): 100 * values.current()
        for name, values in history.items()
        if name.startswith('val/knn/')
    }


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
    """Print the figures as a table, write them and compare them, as the options say."""
    # A file or a pipe has no width of its own to wrap the table to.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    report = dict(machine=machine(), settings=settings, figures=figures)
    about = ', '.join(f'{key} {value}' for key, value in report['machine'].items())
    console.print(_table(title, figures))
    console.print(about, style='dim')
    if args.compare:
        stored = load_report(args.compare)
        for part in ('machine', 'settings'):
            for key in sorted({*report[part], *stored[part]}):
                now, then = report[part].get(key), stored[part].get(key)
                if now != then:
                    console.print(f'{part} differs: {key} was {then}, is {now}')
        console.print(_comparison(args.compare, stored['figures'], figures))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(report, indent=1) + '\n')


def load_report(path: Path) -> dict:
    """What ``--out`` wrote, or end the program with a line that names the file."""
    if not path.is_file():
        sys.exit(f'--compare: there is no file {path}; make one with --out')
    try:
        report = json.loads(path.read_text())
        return {part: dict(report[part]) for part in ('machine', 'settings', 'figures')}
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f'--compare: {path} was not written by --out ({error!r})')


def _number(value: float | str | None) -> str:
    if value is None:
        return '-'
    if isinstance(value, str):
        return value
    return f'{value:,.0f}' if abs(value) >= 1000 else f'{value:.4g}'


def _table(title: str, figures: Figures) -> Table:
    columns = list(dict.fromkeys(c for row in figures.values() for c in row))
    table = Table('', *columns, title=title)
    for column in table.columns[1:]:
        column.justify = 'right'
    for name, row in figures.items():
        table.add_row(name, *(_number(row.get(column)) for column in columns))
    return table


def _comparison(path: Path, stored: Figures, figures: Figures) -> Table:
    table = Table('', 'figure', 'stored', 'now', 'now / stored', title=str(path))
    for name, row in figures.items():
        for column, now in row.items():
            then = stored.get(name, {}).get(column)
            both = [v for v in (then, now) if isinstance(v, int | float)]
            part = f'{now / then:.2f}' if len(both) == 2 and then else '-'
            table.add_row(name, column, _number(then), _number(now), part)
    return table


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
