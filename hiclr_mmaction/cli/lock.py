"""One run at a time in a work folder."""

import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..atomic_write import write_text

LOCK = '.run.lock'
# Written by the holder; opening the lock's own file empties it.
HOLDER = '.run.json'
# Data workers, which share a killed process's lock, notice its end within 5 seconds.
GRACE = 15


@contextmanager
def work_dir_lock(work_dir: str | os.PathLike) -> Iterator[None]:
    """Lock a work folder, or end the program with a line that names the holder.

    It is a lock of the operating system, released when its process ends or is killed. Only
    the first rank takes it. The folder is created if needed, and removed if nothing was
    written to it, or if a file that the run needs is missing.
    """
    ranks = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
    if any(os.environ.get(name, '0') != '0' for name in ranks):
        yield
        return
    folder = Path(work_dir)
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = _holder(folder)
        if not _is_gone(holder):
            sys.exit(
                f'{folder} is in use by process {holder.get("pid", "(unknown)")} on '
                f'{holder.get("host", "(unknown)")} since '
                f'{holder.get("since", "(unknown)")}: wait for it or end it, or name '
                'another folder with --work-dir'
            )
        lock.acquire(timeout=GRACE)
    useless = False
    try:
        me = dict(
            pid=os.getpid(),
            host=socket.gethostname(),
            since=time.strftime('%Y-%m-%d %H:%M:%S'),
        )
        write_text(json.dumps(me), folder / HOLDER)
        yield
    except SystemExit as end:
        # A run whose data are missing has written only logs.
        useless = isinstance(end.__context__, FileNotFoundError)
        useless &= not any([*folder.rglob('*.pth'), *folder.glob('[!.]*.json')])
        raise
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()
        useless |= {path.name for path in folder.iterdir()} <= {LOCK}
        if is_new and useless:
            shutil.rmtree(folder, ignore_errors=True)


def _holder(folder: Path) -> dict:
    try:
        return json.loads((folder / HOLDER).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}


def _is_gone(holder: dict) -> bool:
    """Whether the process ran on this machine and has ended."""
    if os.name == 'nt' or holder.get('host') != socket.gethostname():
        return False
    try:
        os.kill(holder['pid'], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
