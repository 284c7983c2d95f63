"""Measure the data sets at the size of NTU RGB+D 60: start-up and resident memory.

Clips are made up. Memory is the proportional set size (PSS) of the main process and its
workers: a page that several share counts once. It is given whole and beyond what the
imports take, at the end of an epoch that has read every clip.

Example:
    python tools/benchmark/loader.py --clips 40091 --kind npy
"""

import argparse
import json
import os
import pickle
import tempfile
import time
from pathlib import Path

import numpy as np
from _measure import proc_mb, run_apart
from torch.utils.data import DataLoader

from hiclr_mmaction.converters import write_pose_pickle
from hiclr_mmaction.datasets import HiCLRNpyDataset, SkeletonDataset


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measure the data sets')
    parser.add_argument('--clips', type=int, default=2000, help='NTU-60 xsub: 40091')
    parser.add_argument('--frames', type=int, default=50)
    parser.add_argument('--workers', type=int, default=8)
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument(
        '--kind',
        choices=['npy', 'pickle'],
        default='npy',
        help='HiCLRNpyDataset on an array, or SkeletonDataset on a prepared pickle',
    )
    parser.add_argument('--folder', help='where the data are made, and removed')
    parser.add_argument('--out', type=Path, help='JSON file for the figures')
    return parser.parse_args(argv)


def make_clips(num_clips: int, frames: int):
    """Aligned clips (3, T, 25, 2), one by one."""
    rng = np.random.default_rng(0)
    for _ in range(num_clips):
        clip = rng.standard_normal((3, frames, 25, 2), dtype=np.float32)
        clip[:, :, 20] = 0
        yield clip


def make_array(folder: Path, num_clips: int, frames: int) -> Path:
    path = folder / 'train_position.npy'
    shape = (num_clips, 3, frames, 25, 2)
    array = np.lib.format.open_memmap(path, 'w+', np.float32, shape)
    for row, clip in enumerate(make_clips(num_clips, frames)):
        array[row] = clip
    array.flush()
    names = [f'clip{row}' for row in range(num_clips)]
    pair = (names, [row % 60 for row in range(num_clips)])
    (folder / 'train_label.pkl').write_bytes(pickle.dumps(pair))
    return path


def make_pickle(folder: Path, num_clips: int, frames: int) -> Path:
    path = folder / 'poses.pkl'
    clips = (
        dict(
            frame_dir=f'clip{row}',
            label=row % 60,
            total_frames=frames,
            keypoint=np.ascontiguousarray(clip.transpose(3, 1, 2, 0)),
        )
        for row, clip in enumerate(make_clips(num_clips, frames))
    )
    prepared = dict(
        layout='nturgb+d', num_frames=frames, num_person=2, center=20, shoulders=(8, 4)
    )
    split = dict(train=[f'clip{row}' for row in range(num_clips)])
    write_pose_pickle(path, clips, split, prepared=prepared)
    return path


def resident_mb(pids: list[int]) -> float:
    """Proportional set size of processes, MiB."""
    return sum(proc_mb('Pss', 'smaps_rollup', pid) for pid in pids)


def measure(path: Path, kind: str, workers: int, batch_size: int) -> dict[str, float]:
    """Build the data set and read every clip once."""
    imports = resident_mb([os.getpid()])
    start, start_cpu = time.monotonic(), time.process_time()
    kind, options = (
        (HiCLRNpyDataset, {})
        if kind == 'npy'
        else (SkeletonDataset, dict(split='train'))
    )
    dataset = kind(str(path), [], **options)
    startup = dict(
        startup_s=time.monotonic() - start,
        startup_cpu_s=time.process_time() - start_cpu,
    )
    # As a training does on Linux; this process itself was spawned.
    loader = DataLoader(
        dataset,
        batch_size,
        num_workers=workers,
        collate_fn=count_clips,
        multiprocessing_context='fork',
    )
    start = time.monotonic()
    iterator = iter(loader)
    read, peak = 0, 0.0
    for number, count in enumerate(iterator):
        read += count
        if number % 20 == 0:
            pids = [os.getpid(), *(worker.pid for worker in iterator._workers)]
            peak = max(peak, resident_mb(pids))
    file_mb = path.stat().st_size / 2**20
    return dict(
        clips=read,
        file_mb=file_mb,
        **startup,
        clips_per_s=read / (time.monotonic() - start),
        imports_mb=imports,
        resident_mb=peak,
        resident_over_file=peak / file_mb,
        beyond_imports_over_file=(peak - imports) / file_mb,
    )


def count_clips(batch: list[dict]) -> int:
    """In place of a batch, so that only the data set is measured."""
    return sum(sample['keypoint'].shape[1] > 0 for sample in batch)


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        make = make_array if args.kind == 'npy' else make_pickle
        path = make(Path(folder), args.clips, args.frames)
        figures = run_apart(measure, path, args.kind, args.workers, args.batch_size)
    text = json.dumps(dict(kind=args.kind, workers=args.workers, **figures), indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + '\n')


if __name__ == '__main__':
    main()
