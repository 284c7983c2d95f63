"""Python in a process of its own."""

import atexit
import importlib
import multiprocessing
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from mmaction.visualization import ActionVisualizer
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer


def run_python(code, *args, **env):
    """Run code in a process of its own, away from what this one has imported."""
    return subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code), *map(str, args)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def fork(function, *args, log, **env):
    """Start a function in a process of its own that knows what this one has imported.

    A start of Python with torch and mmengine takes five seconds.

    Args:
        function (Callable): What to call with ``args``.
        log (Path): File to which all is added that the process prints.
        **env: Variables of its environment.

    Returns:
        multiprocessing.Process: It leads a group of its own, as if a shell had started it.
    """
    if not hasattr(os, 'fork') or torch.cuda.is_initialized():
        pytest.skip('processes are forked, to be quick')
    process = multiprocessing.get_context('fork').Process(
        target=_call, args=(function, args, log, env)
    )
    process.start()
    atexit.register(process.kill)  # or one that hangs would keep pytest from ending
    return process


def finish(process, log, status=0, seconds=300):
    """Wait for a fork, which must end with a status."""
    process.join(seconds)
    assert process.exitcode == status, Path(log).read_text()[-4000:]


def fork_ranks(ranks, function, *args, log):
    """Start a function in several forks, as torchrun starts a script."""
    env = dict(
        WORLD_SIZE=str(ranks), MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port(),
        CUDA_VISIBLE_DEVICES='',
    )  # fmt: skip
    return [
        fork(function, *args, log=log, RANK=str(rank), LOCAL_RANK=str(rank), **env)
        for rank in range(ranks)
    ]


def free_port():
    """A port that nobody listens on, as text."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def _call(function, args, log, env):
    out = open(log, 'a', buffering=1)  # noqa: SIM115  kept to the end
    os.dup2(out.fileno(), 1)
    os.dup2(out.fileno(), 2)
    sys.stdout = sys.stderr = out  # pytest's own are not those two
    os.setpgid(0, 0)
    os.environ.update(env)
    # A fork does not have the threads of OpenMP, and would wait for them for ever.
    torch.set_num_threads(1)
    forget_runs()
    function(*args)


def run_program(name, *args):
    """What ``python -m hiclr_mmaction.cli.NAME ARGS`` does."""
    sys.argv = [f'{name}.py', *map(str, args)]
    importlib.import_module(f'hiclr_mmaction.cli.{name}').main()


def forget_runs():
    """Drop what mmengine keeps of runs: those of one name and second would share it."""
    for kind in (MMLogger, MessageHub, Visualizer, ActionVisualizer):
        kind._instance_dict.clear()
