"""What the benchmarks of the step and the epoch say of wrong options."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT

TOOLS = Path(__file__).parents[3] / 'tools' / 'benchmark'


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))

    def run(name, *args):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, args)])
        runpy.run_path(str(TOOLS / f'{name}.py'), run_name='__main__')

    return run


def test_step_names_a_switch_it_does_not_know(tool, capsys):
    with pytest.raises(SystemExit):
        tool('step', '--switches', 'warp')
    assert 'warp is unknown; known: stock' in capsys.readouterr().err


def test_epoch_needs_two_batches(tool):
    with pytest.raises(SystemExit, match='fewer than two batches'):
        tool('epoch', '--scale', 0.00005)


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='needs /proc')
def test_peak_memory_is_not_that_of_the_parent():
    held = np.ones(2**30 // 8)  # 1 GiB, beside what this process holds anyway
    code = 'from _measure import proc_mb; print(proc_mb("VmHWM"))'
    folder = ROOT / 'tools' / 'benchmark'
    command = [sys.executable, '-c', code]
    told = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    )
    assert 50 < float(told.stdout) < held.nbytes / 2**20


def test_against_names_a_folder_that_is_not_a_checkout(tool, tmp_path):
    options = ('--no-memory', '--switches', '--batch-size', 2, '--rounds', 1)
    with pytest.raises(SystemExit, match='is not a checkout of this project'):
        tool('step', *options, '--against', tmp_path)
