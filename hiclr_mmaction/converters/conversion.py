"""From any converter to a pose pickle: all cores, bounded memory, all or nothing.

The clips are cut into chunks. A worker process reads the clips of a chunk and writes
them to a file of the folder ``<out>.parts``; at the end the parts are joined, in
order, into the result. So memory does not grow with the number of clips, and a run
that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import pickle
import shutil
import signal
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..annotations.clip_checks import UnusableClip, check_keypoint, join_score
from ..annotations.prepared import Preparation, prepare_clip
from ..annotations.safe_pickle import SafeUnpickler
from ..atomic_write import whole_file
from ..skeleton import SkeletonLayout, get_layout
from .converter import Clip, SkeletonConverter, stamp
from .pose_pickle import dump_streamed, write_pose_pickle
from .report import Report

_FORMAT = 1  # of the parts; another number makes older ones void
_ARRAYS = ('keypoint', 'keypoint_score')


def convert(
    converter: SkeletonConverter,
    out: str | Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    strict: bool = False,
    align: int | None = None,
    ignore: Collection[str] = (),
    chunk_size: int = 64,
    console: Console | None = None,
) -> Report:
    """Convert the clips of a converter to MMAction2's pose pickle.

    The result is ``dict(split=..., layout=..., annotations=[...])``; each annotation
    has ``frame_dir``, ``total_frames``, ``keypoint`` (float32 ``(M, T, V, C)``,
    persons that are there alone) and what the converter tells. With ``align`` there is
    also ``prepared``, by which :class:`SkeletonDataset` knows. The result and its
    bytes depend on converter and settings alone, not on workers or on stops between.
    A report is written beside it, ``<out>.report.json``.

    Args:
        converter (SkeletonConverter): Where the clips come from.
        out (str | Path): The result, a ``.pkl``.
        workers (int, optional): Processes; 1 converts in this one. None: as many as
            there are cores for this process.
        overwrite (bool): Whether an older result may be replaced.
        strict (bool): Whether a clip that has to be left out ends the run.
        align (int, optional): Store clips aligned, by :func:`hiclr_align`, to this many
            frames and ``converter.num_person`` persons. None: as they are.
        ignore (Collection[str]): Names of clips to leave out.
        chunk_size (int): Clips that are converted and kept together.
        console (Console, optional): For progress and summary.

    Raises:
        FileExistsError: If there is a result already and ``overwrite`` is false.
        ValueError: If there is no clip, a setting is out of range, or, with
            ``strict``, a clip has to be left out.
    """
    started = time.monotonic()
    out = Path(out)
    workers = _check_settings(converter, out, workers, overwrite, chunk_size)
    job = _Job(
        converter,
        Path(f'{out}.parts'),
        _preparation(converter, align),
    )
    clips, doubled, ignored = _list_clips(converter, set(ignore))
    _be_strict(strict, doubled)
    chunks = [clips[i : i + chunk_size] for i in range(0, len(clips), chunk_size)]
    console = console or Console()
    try:
        parts = job.run_all(chunks, workers, strict, console)
    except KeyboardInterrupt:
        console.print(
            f'stopped; what is done is kept in {job.folder}: the same command goes on'
        )
        raise
    report = _join(job, parts, out, doubled, ignored, align, started)
    shutil.rmtree(job.folder)
    report.print(console)
    return report


def _check_settings(
    converter: SkeletonConverter,
    out: Path,
    workers: int | None,
    overwrite: bool,
    chunk_size: int,
) -> int:
    """Check what can be checked before the work; returns the number of workers."""
    if workers is None:
        count = getattr(os, 'sched_getaffinity', None)
        workers = len(count(0)) if count else os.cpu_count() or 1
    for name, value in [('workers', workers), ('chunk_size', chunk_size)]:
        if value < 1:
            raise ValueError(f'{name}={value} is less than 1.')
    if converter.max_frames is not None and converter.max_frames < 1:
        raise ValueError(
            f'max_frames={converter.max_frames} is less than 1; None is no limit.'
        )
    if out.suffix != '.pkl':
        raise ValueError(f'out={str(out)!r}: the name must end in .pkl.')
    if out.exists() and not overwrite:
        raise FileExistsError(
            f'{out} exists; set overwrite (--overwrite), or choose another name.'
        )
    if not out.parent.is_dir():
        raise FileNotFoundError(
            f'out={str(out)!r}: make the folder {out.parent} first.'
        )
    return workers


def _preparation(converter: SkeletonConverter, align: int | None) -> Preparation | None:
    """What the clips of the result will be."""
    if converter.preparation is not None and align is not None:
        raise ValueError(
            f'align={align}, but the clips of {type(converter).__name__} are '
            f'{converter.preparation} already; leave out --align.'
        )
    return converter.preparation if align is None else Preparation.of(converter, align)


def _list_clips(
    converter: SkeletonConverter, ignore: set[str]
) -> tuple[list[Clip], list[dict], int]:
    """The clips to read, those whose name is taken already, the number of ignored."""
    found = list(converter.clips())
    kept: dict[str, Clip] = {}
    doubled = []
    ignored = 0
    for clip in found:
        if clip.id in ignore:
            ignored += 1
        elif clip.id in kept:
            first = ', '.join(kept[clip.id].files)
            doubled.append(_left_out(clip, f'name taken: {first} has it too'))
        else:
            kept[clip.id] = clip
    if not kept:
        raise ValueError(
            f'{type(converter).__name__} has no clip to convert '
            f'({len(found)} found, {ignored} of them ignored); check the input folder.'
        )
    return list(kept.values()), doubled, ignored


def _left_out(clip: Clip, reason: str) -> dict[str, str]:
    return dict(clip=clip.id, file=', '.join(clip.files), reason=reason)


def _be_strict(strict: bool, skipped: Sequence[Mapping[str, str]]) -> None:
    if strict and skipped:
        raise ValueError(
            '{clip} ({file}) cannot be used: {reason}. Repair or ignore it, or leave out '
            '--strict.'.format(**skipped[0])
        )


# ---------------------------------------------------------------------------
# Chunks
# ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Job:
    """What a worker needs to convert any chunk."""

    converter: SkeletonConverter
    folder: Path
    preparation: Preparation | None

    def run_all(
        self,
        chunks: list[list[Clip]],
        workers: int,
        strict: bool,
        console: Console,
    ) -> list[Path]:
        """Convert the chunks that are not done; returns all the parts, in order."""
        self.folder.mkdir(exist_ok=True)
        parts = [self.folder / f'{self.key(chunk)}.part' for chunk in chunks]
        todo = []
        done = 0
        for chunk, part in zip(chunks, parts, strict=True):
            if part.exists():
                done += len(chunk)
                _be_strict(strict, read_head(part)['skipped'])
            else:
                todo.append((chunk, part))
        if done:
            console.print(f'going on: {done:,} clips were read before')
        progress = Progress(
            TextColumn('reading clips'),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn('left'),
            TimeRemainingColumn(),
            console=console,
            # No thread beside this one while processes are forked.
            auto_refresh=False,
        )
        task = progress.add_task('', total=sum(map(len, chunks)), completed=done)
        results = (
            map(self.run, *zip(*todo, strict=True))
            if workers == 1 and todo
            else self._run_on(todo, workers, progress)
        )
        with progress:
            for part in results:
                head = read_head(part)
                progress.update(
                    task, advance=len(head['samples']) + len(head['skipped'])
                )
                progress.refresh()
                _be_strict(strict, head['skipped'])
        # Parts of other settings or of files that have changed since.
        for path in set(self.folder.iterdir()) - set(parts):
            path.unlink()
        return parts

    def _run_on(
        self, todo: list[tuple[list[Clip], Path]], workers: int, progress: Progress
    ) -> Iterator[Path]:
        """Convert chunks on processes, a few at a time; gives parts as they are done."""
        waiting = iter(todo)
        running: set[Future] = set()
        fork = 'fork' in multiprocessing.get_all_start_methods()
        executor = ProcessPoolExecutor(
            max_workers=min(workers, max(len(todo), 1)),
            mp_context=multiprocessing.get_context('fork' if fork else None),
            initializer=_start_worker,
            initargs=(self,),
        )
        try:
            while True:
                while len(running) < 2 * workers and (item := next(waiting, None)):
                    running.add(executor.submit(_run_in_worker, *item))
                if not running:
                    return
                done, running = wait(running, 0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                progress.refresh()
        finally:
            executor.shutdown(cancel_futures=True)

    def key(self, chunk: list[Clip]) -> str:
        """Names a part by everything that is in it."""
        files = {file: None for clip in chunk for file in clip.files}
        content = dict(
            format=_FORMAT,
            settings=self.converter.settings(),
            preparation=None if self.preparation is None else asdict(self.preparation),
            clips=[asdict(clip) for clip in chunk],
            files=[stamp(file) for file in files],
        )
        text = json.dumps(content, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def run(self, chunk: list[Clip], part: Path) -> Path:
        """Read the clips of a chunk and write them to its part."""
        samples, arrays, facts, skipped = [], [], [], []
        for clip in chunk:
            try:
                sample, fact = self.read(clip)
            except (ValueError, OSError) as error:
                skipped.append(_left_out(clip, _reason(error)))
            else:
                arrays.append({k: sample.pop(k) for k in _ARRAYS if k in sample})
                samples.append(sample)
                facts.append(fact)
        head = dict(samples=samples, facts=facts, skipped=skipped)
        with whole_file(part) as temporary, open(temporary, 'wb') as file:
            pickle.dump(head, file, protocol=5)
            for array in arrays:
                dump_streamed(array, file)
        return part

    def read(self, clip: Clip) -> tuple[dict, dict]:
        """Read and check one clip; returns the annotation and facts for the report."""
        sample = dict(self.converter.read(clip))
        notes = list(sample.pop('notes', ()))
        layout = get_layout(self.converter.layout)
        arrays = {
            name: np.ascontiguousarray(sample.pop(name), np.float32)
            for name in _ARRAYS
            if sample.get(name) is not None
        }
        check_keypoint(arrays['keypoint'], layout, clip.id)
        there = arrays['keypoint'].any(axis=(1, 2, 3))
        persons, frames = int(there.sum()), arrays['keypoint'].shape[1]
        if not persons:
            raise ValueError('no body: no person is tracked in any frame')
        limit = self.converter.max_frames
        if limit is not None and frames > limit:
            raise ValueError(f'too long: {frames} frames, more than {limit}')
        if self.converter.preparation is None:
            arrays = {name: array[there] for name, array in arrays.items()}
            if self.preparation is not None:
                arrays = dict(keypoint=self.prepare(arrays, layout))
        sample = {k: v for k, v in sample.items() if v is not None}
        sample.update(frame_dir=clip.id, total_frames=arrays['keypoint'].shape[1])
        return dict(sample, **arrays), dict(persons=persons, frames=frames, notes=notes)

    def prepare(self, arrays: dict[str, np.ndarray], layout: SkeletonLayout) -> Any:
        """The aligned clip."""
        assert self.preparation is not None
        try:
            join_score(arrays, layout)
            return prepare_clip(arrays['keypoint'], layout, self.preparation)
        except ValueError as error:
            raise ValueError(f'cannot be aligned: {error}') from error


def _reason(error: ValueError | OSError) -> str:
    """``'kind: details'`` of what went wrong with a clip."""
    if isinstance(error, UnusableClip):
        return f'{error.kind}: {error}'
    if isinstance(error, OSError):
        return f'cannot be read: {error}'
    if isinstance(error, UnicodeDecodeError):
        return f'not text: {error}'
    return str(error) or type(error).__name__


_job: _Job | None = None


def _start_worker(job: _Job) -> None:
    global _job
    _job = job
    torch.set_num_threads(1)
    # Ctrl-C reaches all processes; the first one decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_in_worker(chunk: list[Clip], part: Path) -> Path:
    assert _job is not None
    return _job.run(chunk, part)


# ---------------------------------------------------------------------------
# Parts
# ---------------------------------------------------------------------------


def read_head(part: Path) -> dict[str, Any]:
    """What a part tells of its clips: ``samples``, ``facts`` and ``skipped``."""
    with open(part, 'rb') as file:
        return _next(file)


def read_annotations(part: Path) -> Iterator[dict[str, Any]]:
    """The clips of a part, one by one."""
    with open(part, 'rb') as file:
        for sample in _next(file)['samples']:
            yield dict(sample, **_next(file))


def _next(file: BinaryIO) -> Any:
    return SafeUnpickler(file).load()


def _join(
    job: _Job,
    parts: list[Path],
    out: Path,
    doubled: list[dict],
    ignored: int,
    align: int | None,
    started: float,
) -> Report:
    """Join the parts to the result and write the report."""
    heads = [read_head(part) for part in parts]
    samples = [sample for head in heads for sample in head['samples']]
    facts = [fact for head in heads for fact in head['facts']]
    skipped = [entry for head in heads for entry in head['skipped']] + doubled
    converter = job.converter
    split = converter.splits(samples)
    settings = dict(converter.settings(), align=align)
    report = Report.of(
        out,
        settings,
        samples,
        facts,
        split,
        converter.classes,
        skipped=skipped,
        ignored=ignored,
    )
    if not samples:
        report.write()
        raise ValueError(
            f'no clip could be used, {skipped[0]["clip"]} for one: '
            f'{skipped[0]["reason"]}. All reasons are in {report.path}; '
            f'{out} is not written.'
        )
    head: dict[str, Any] = dict(layout=_plain(converter.layout))
    if converter.classes:
        head['classes'] = list(converter.classes)
    if job.preparation is not None:
        head['prepared'] = asdict(job.preparation)
    annotations = (clip for part in parts for clip in read_annotations(part))
    write_pose_pickle(out, annotations, split, **head)
    report.seconds = round(time.monotonic() - started, 3)
    report.write()
    return report


def _plain(layout: str | Mapping) -> str | dict:
    return layout if isinstance(layout, str) else dict(layout)
