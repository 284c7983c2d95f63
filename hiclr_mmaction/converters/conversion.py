"""From any converter to a pose pickle, in several processes.

Worker processes read the clips in chunks; this process writes them, in order, as they
come: memory does not grow with the number of clips, and the write is atomic.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..annotations.clip_checks import UnusableClip, check_keypoint, join_score
from ..annotations.prepared import Preparation, prepare_clip
from ..skeleton import get_layout, track
from ..skeleton.orientation import Orientation, long_bones, planar_remedy
from .converter import Clip, SkeletonConverter, require_regular
from .pose_pickle import write_pose_pickle
from .report import Report

if TYPE_CHECKING:
    from rich.console import Console

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
    allow_empty: bool = False,
    up: str | None = None,
    scale: float | None = None,
    chunk_size: int = 64,
    console: Console | None = None,
) -> Report:
    """Convert clips to MMAction2's pose pickle.

    The result is ``dict(layout=..., annotations=[...], split=...)``; each annotation
    has ``frame_dir``, ``total_frames``, ``keypoint`` (float32 ``(M, T, V, C)``, without
    persons who are always absent) and other values of the converter. With ``align`` the
    result also has ``prepared``, which :class:`SkeletonDataset` reads. If up axis and unit
    were estimated, it has ``orientation``, which the demo uses. The result does not depend
    on the number of workers. A report is written to ``<out>.report.json``.

    Args:
        converter (SkeletonConverter): Where the clips come from.
        out (str | Path): The result, a ``.pkl``.
        workers (int, optional): Processes; 1 converts in this one. None: as many as
            there are cores for this process.
        overwrite (bool): Whether an existing result is replaced.
        strict (bool): Whether an unusable clip ends the run.
        align (int, optional): Store clips aligned, by :func:`hiclr_align`, to this many
            frames and ``converter.num_person`` persons. None: as they are.
        ignore (Collection[str]): Names of clips to skip.
        allow_empty (bool): Whether splits without a clip are dropped. False: they are an
            error.
        up (str, optional): The up axis of the files, such as ``'z'`` or ``'-y'``. None: as
            the converter knows or estimates it, or else ``'y'``.
        scale (float, optional): Metres per unit of the files, such as 0.001. None: as the
            converter knows or estimates it, or else 1.
        chunk_size (int): Clips per task of a worker.
        console (Console, optional): For progress and summary.

    Raises:
        FileExistsError: If the result exists and ``overwrite`` is false.
        ValueError: If there is no clip, a split is empty, a setting is out of range, or,
            with ``strict``, a clip is unusable.
    """
    from rich.console import Console  # reading single clips needs none

    started = time.monotonic()
    out = Path(out)
    workers = _check_settings(converter, out, workers, overwrite, chunk_size)
    _check_orientation(converter, up, scale)
    console = console or Console()
    preparation = _preparation(converter, align)
    found = list(converter.clips())
    clips, skipped, ignored = _select(converter, found, set(ignore))
    _refuse(strict, skipped)
    orientation, found_remarks = _find_orientation(converter, clips)
    reader = _Reader(converter, preparation, up, scale, orientation)

    samples: list[dict] = []
    facts: list[dict] = []

    def annotations() -> Iterator[dict]:
        with closing(_read_all(reader, clips, workers, chunk_size, console)) as results:
            for clip, result in results:
                if isinstance(result, str):
                    skipped.append(_left_out(clip, result))
                    _refuse(strict, skipped)
                    continue
                sample, fact = result
                samples.append({k: v for k, v in sample.items() if k not in _ARRAYS})
                facts.append(fact)
                yield sample

    def report(split: Mapping[str, list[str]]) -> Report:
        return Report.of(
            out,
            dict(
                converter.settings(),
                align=align,
                up=up or orientation.up,
                scale=scale or orientation.scale,
            ),
            samples,
            facts,
            split,
            converter.classes,
            skipped=skipped,
            ignored=ignored,
            remarks=[*converter.remarks(found), *found_remarks],
        )

    split: dict[str, list[str]] = {}

    def make_split() -> dict[str, list[str]]:
        if not samples:
            failed = report({})
            failed.write()
            raise ValueError(
                f'no clip could be used, {skipped[0]["clip"]} for one: '
                f'{skipped[0]["reason"]}. All reasons are in {failed.path}; '
                f'{out} is not written.'
            )
        split.update(converter.splits(samples))
        filled = {name: members for name, members in split.items() if members}
        empty = [name for name in split if name not in filled]
        if not filled or (empty and not allow_empty):
            failed = report(split)
            failed.write()
            raise ValueError(
                f'split {", ".join(empty)} is empty: none of the {len(samples)} usable '
                'clips belongs to it. Add the clips, correct the list of the split, or '
                f'leave such splits out (--allow-empty). {failed.path} names the clips '
                f'that are not usable; {out} is not written.'
            )
        return filled

    layout = converter.layout
    head: dict[str, Any] = dict(
        layout=layout if isinstance(layout, str) else dict(layout)
    )
    if converter.classes:
        head['classes'] = list(converter.classes)
    if converter.find_orientation and get_layout(layout).coordinates == '3d':
        head['orientation'] = dict(
            up=up or orientation.up, scale=scale or orientation.scale
        )
    if preparation is not None:
        head['prepared'] = asdict(preparation)
    write_pose_pickle(out, annotations(), make_split, **head)
    done = report(split)
    done.seconds = round(time.monotonic() - started, 3)
    done.write()
    done.print(console)
    return done


def _check_settings(
    converter: SkeletonConverter,
    out: Path,
    workers: int | None,
    overwrite: bool,
    chunk_size: int,
) -> int:
    """Check the settings; returns the number of workers."""
    if workers is None:
        count = getattr(os, 'sched_getaffinity', None)
        workers = len(count(0)) if count else os.cpu_count() or 1
    for name, value in [('workers', workers), ('chunk_size', chunk_size)]:
        if value < 1:
            raise ValueError(f'{name}={value} is less than 1.')
    if converter.max_frames is not None and converter.max_frames < 1:
        raise ValueError(
            f'max_frames={converter.max_frames} is less than 1; None: no limit.'
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


def _check_orientation(
    converter: SkeletonConverter, up: str | None, scale: float | None
) -> None:
    if up is None and scale is None:
        return
    layout = get_layout(converter.layout)
    if layout.coordinates == '2d':
        raise ValueError(
            f'up={up}, scale={scale}: they are for 3-D skeletons, but layout '
            f'{layout.name!r} is 2d; leave out --up and --scale.'
        )
    if converter.preparation is not None:
        raise ValueError(
            f'up={up}, scale={scale}, but the clips are {converter.preparation} '
            'already; leave out --up and --scale.'
        )
    Orientation(up or 'y', 1.0 if scale is None else scale)


def _find_orientation(
    converter: SkeletonConverter, clips: Sequence[Clip], number: int = 16
) -> tuple[Orientation, list[str]]:
    """Estimate up axis and unit from some clips, if the converter asks for it.

    Returns:
        tuple: The orientation, and notes for the report.
    """
    known = Orientation(scale=converter.unit)
    if not converter.find_orientation or converter.preparation is not None:
        return known, []
    keypoints = []
    for clip in clips[:: 1 + len(clips) // number]:
        try:
            for file in clip.files:
                require_regular(file)
            sample = converter.read(clip)
        except Exception:
            continue  # it will be left out, with the reason
        if 'up' not in sample and 'scale' not in sample:
            keypoints.append(np.asarray(sample['keypoint']))
    found = Orientation.find(keypoints, converter.layout, unit=converter.unit)
    if get_layout(converter.layout).coordinates == '3d':
        return found, found.remarks(converter.unit)
    return known, [planar_remedy(found.up)] * (found.up != '-y')


def _preparation(converter: SkeletonConverter, align: int | None) -> Preparation | None:
    """How the clips of the result are aligned."""
    if converter.preparation is not None and align is not None:
        raise ValueError(
            f'align={align}, but the clips of {type(converter).__name__} are '
            f'{converter.preparation} already; leave out --align.'
        )
    return converter.preparation if align is None else Preparation.of(converter, align)


def _select(
    converter: SkeletonConverter, found: Sequence[Clip], ignore: set[str]
) -> tuple[list[Clip], list[dict], int]:
    """The clips to read, clips with a duplicate name, and the number of ignored clips."""
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


def _refuse(strict: bool, skipped: Sequence[Mapping[str, str]]) -> None:
    if strict and skipped:
        raise ValueError(
            '{clip} ({file}) cannot be used: {reason}. Repair or ignore it, or leave out '
            '--strict.'.format(**skipped[-1])
        )


# ---------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reader:
    """Reads and checks any clip."""

    converter: SkeletonConverter
    preparation: Preparation | None
    up: str | None
    scale: float | None
    orientation: Orientation

    def __call__(self, clip: Clip) -> tuple[dict, dict] | str:
        """The annotation and facts for the report, or why the clip is skipped."""
        try:
            for file in clip.files:
                require_regular(file)
            return self._read(clip)
        # Whatever is wrong with a file ends that file alone, MemoryError and
        # RecursionError included.
        except Exception as error:
            return _reason(error)

    def _read(self, clip: Clip) -> tuple[dict, dict]:
        sample = dict(self.converter.read(clip))
        notes = list(sample.pop('notes', ()))
        up, scale = sample.pop('up', None), sample.pop('scale', None)
        layout = get_layout(self.converter.layout)
        if layout.coordinates == '3d' and self.converter.preparation is None:
            orientation = Orientation(
                self.up or up or self.orientation.up,
                self.scale or scale or self.orientation.scale,
            )
            sample['keypoint'] = orientation.apply(sample['keypoint'])
        with np.errstate(over='ignore'):  # to infinity, which is refused below
            arrays = {
                name: np.ascontiguousarray(sample.pop(name), np.float32)
                for name in _ARRAYS
                if sample.get(name) is not None
            }
        check_keypoint(arrays['keypoint'], layout, clip.id)
        there = arrays['keypoint'].any(axis=(1, 2, 3))
        persons, frames = int(there.sum()), arrays['keypoint'].shape[1]
        if not persons:
            raise ValueError('no person: nobody is tracked in any frame')
        limit = self.converter.max_frames
        if limit is not None and frames > limit:
            raise ValueError(f'too long: {frames} frames, more than {limit}')
        if long_bones(arrays['keypoint'], layout):
            notes.append('a bone longer than a body; see tools/data/inspect.py')
        untracked = {}
        if self.converter.preparation is None:
            arrays = {name: array[there] for name, array in arrays.items()}
            joined = dict(arrays)
            join_score(joined, layout)
            if self.converter.untracked != 'released':
                clip_tensor = torch.from_numpy(joined['keypoint'])
                untracked = track(
                    clip_tensor,
                    layout,
                    self.converter.num_person,
                    self.converter.max_gap,
                ).counts()
            if self.converter.untracked == 'refuse' and any(untracked.values()):
                counts = ', '.join(f'{k}={v}' for k, v in untracked.items() if v)
                raise ValueError(f'persons or joints are lost: {counts}')
            if self.preparation is not None:
                try:
                    aligned = prepare_clip(joined['keypoint'], layout, self.preparation)
                except ValueError as error:
                    raise ValueError(f'cannot be aligned: {error}') from error
                arrays = dict(keypoint=aligned)
        sample = {k: v for k, v in sample.items() if v is not None}
        sample.update(frame_dir=clip.id, total_frames=arrays['keypoint'].shape[1])
        facts = dict(persons=persons, frames=frames, notes=notes, untracked=untracked)
        return dict(sample, **arrays), facts


def _reason(error: Exception) -> str:
    """``'kind: details'`` of what went wrong with a clip."""
    if isinstance(error, UnusableClip):
        return f'{error.kind}: {error}'
    if isinstance(error, UnicodeDecodeError):
        return f'not text: {error}; save it as UTF-8'
    if isinstance(error, OSError):
        return f'cannot be read: {error}'
    if type(error) is ValueError and str(error):
        return str(error)
    return f'cannot be read: {type(error).__name__}: {error}'.removesuffix(': ')


def _read_all(
    reader: _Reader,
    clips: Sequence[Clip],
    workers: int,
    chunk_size: int,
    console: Console,
) -> Generator[tuple[Clip, tuple[dict, dict] | str], None, None]:
    """Read the clips with a progress bar; yields each with its result, in order."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    chunks = [clips[i : i + chunk_size] for i in range(0, len(clips), chunk_size)]
    progress = Progress(
        TextColumn('reading clips'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('left'),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,  # no thread beside this one while processes are forked
    )
    task = progress.add_task('', total=len(clips))
    with progress:
        for chunk, results in zip(chunks, _map(reader, chunks, workers), strict=True):
            progress.update(task, advance=len(chunk), refresh=True)
            yield from zip(chunk, results, strict=True)


def _map(
    reader: _Reader, chunks: Sequence[Sequence[Clip]], workers: int
) -> Iterator[list]:
    """Read chunks of clips, in this process or in others."""
    if workers == 1:
        yield from ([reader(clip) for clip in chunk] for chunk in chunks)
        return
    # Forked, because a new interpreter would take seconds to import this package.
    fork = 'fork' in multiprocessing.get_all_start_methods()
    with ProcessPoolExecutor(
        min(workers, len(chunks)),
        multiprocessing.get_context('fork' if fork else None),
        _start_worker,
        (reader,),
    ) as pool:
        try:
            yield from pool.map(_read_in_worker, chunks)
        except BrokenProcessPool as error:
            raise ValueError(
                'a worker process was killed, probably because memory ran out; use '
                'fewer --workers.'
            ) from error


_worker_reader: _Reader


def _start_worker(reader: _Reader) -> None:
    global _worker_reader
    _worker_reader = reader
    torch.set_num_threads(1)
    # Ctrl-C reaches all processes; the main process handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read_in_worker(chunk: Sequence[Clip]) -> list:
    return [_worker_reader(clip) for clip in chunk]
