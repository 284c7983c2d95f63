"""Measure the converter of NTU RGB+D: speed on one core, and memory.

The speed is compared, in the same run, with parsing each line with Python's float(),
which is less than such a converter has to do. Memory is the peak of the main process
and of the largest worker, for a few clips and for many.

Example:
    python tools/benchmark/convert.py --folder nturgb+d_skeletons --clips 10000
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from _measure import own_peak_mb
from rich.console import Console

from hiclr_mmaction.converters import NTUConverter, convert


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measure the converter of NTU RGB+D')
    parser.add_argument(
        '--folder',
        type=Path,
        help='folder of .skeleton files, which are repeated; without it they are made up',
    )
    parser.add_argument('--clips', type=int, default=2000, help='number of clips')
    parser.add_argument(
        '--workers', type=int, default=2, help='processes while memory is measured'
    )
    parser.add_argument(
        '--align', type=int, metavar='FRAMES', help='as in the converters'
    )
    parser.add_argument('--out', type=Path, help='JSON file for the figures')
    return parser.parse_args(argv)


def make_up(path: Path, frames: int = 90) -> None:
    """Write a file of one body whose numbers look like Kinect's."""
    rng = np.random.default_rng(frames)
    lines = [str(frames)]
    for _ in range(frames):
        lines += ['1', '72057594037931101 0 1 1 1 1 0 0.0276 0.0574 2', '25']
        for row in rng.normal(size=(25, 11)):
            lines.append(' '.join(f'{value:.7g}' for value in row) + ' 2')
    path.write_text('\n'.join(lines) + '\n')


def repeat(files: list[Path], folder: Path, count: int) -> None:
    """Link the files under as many NTU names as clips are wanted."""
    folder.mkdir()
    for i in range(count):
        action, rest = i % 60 + 1, i // 60
        subject, rest = rest % 40 + 1, rest // 40
        camera, setup = rest % 3 + 1, rest // 3 + 1
        name = f'S{setup:03d}C{camera:03d}P{subject:03d}R001A{action:03d}.skeleton'
        (folder / name).symlink_to(files[i % len(files)].resolve())


def parse_by_float(folder: Path, count: int) -> float:
    """Seconds of processor time a clip for reading and parsing with float()."""
    paths = sorted(folder.iterdir())[:count]
    start = time.process_time()
    for path in paths:
        for line in path.read_text().splitlines():
            [float(word) for word in line.split()]
    return (time.process_time() - start) / len(paths)


def run(folder: Path, out: Path, workers: int, align: int | None) -> dict[str, float]:
    """Convert, in this process, and tell its time and the peaks of memory."""
    start, wall = time.process_time(), time.monotonic()
    console = Console(quiet=True)
    convert(NTUConverter([folder]), out, workers=workers, align=align, console=console)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    peak = dict(main_mb=own_peak_mb(), worker_mb=children)
    used = dict(cpu_s=time.process_time() - start, wall_s=time.monotonic() - wall)
    return {**peak, **used, 'out_mb': out.stat().st_size / 2**20}


def apart(*args) -> dict[str, float]:
    """:func:`run` in a new process, whose peak of memory is its own."""
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, context) as executor:
        return executor.submit(run, *args).result()


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        if args.folder is None:
            args.folder = work / 'made_up'
            args.folder.mkdir()
            for frames in (60, 90, 120):
                make_up(args.folder / f'{frames}.skeleton', frames)
        files = sorted(args.folder.rglob('*.skeleton'))
        few = max(args.clips // 8, 1)
        repeat(files, work / 'few', few)
        repeat(files, work / 'many', args.clips)

        # The baseline before and after, for the speed of the machine may change.
        before = parse_by_float(work / 'many', min(args.clips, 200))
        single = apart(work / 'many', work / 'single.pkl', 1, args.align)
        after = parse_by_float(work / 'many', min(args.clips, 200))
        figures = dict(
            clips=args.clips,
            float_ms=1000 * (before + after) / 2,
            convert_ms=1000 * single['cpu_s'] / args.clips,
        )
        figures['times_as_fast'] = figures['float_ms'] / figures['convert_ms']
        for name, count in [('few', few), ('many', args.clips)]:
            peak = apart(work / name, work / f'{name}.pkl', args.workers, args.align)
            figures[name] = dict(clips=count, **peak)
        same = (work / 'many.pkl').read_bytes() == (work / 'single.pkl').read_bytes()
        figures['same_with_any_workers'] = same
    text = json.dumps(figures, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + '\n')


if __name__ == '__main__':
    main()
