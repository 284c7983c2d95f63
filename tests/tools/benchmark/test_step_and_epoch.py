"""The benchmarks of the step and the epoch run, and tell what they promise."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.support import ROOT

TOOLS = Path(__file__).parents[3] / 'tools' / 'benchmark'


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))

    def run(name, *args):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, args)])
        runpy.run_path(str(TOOLS / f'{name}.py'), run_name='__main__')

    return run


@pytest.mark.slow
def test_step_measures_each_variant_its_parts_and_its_trace(tool, tmp_path):
    out, trace = tmp_path / 'step.json', tmp_path / 'trace.json'
    options = ['--batch-size', 2, '--rounds', 1, '--no-memory', '--out', out]
    tool('step', *options, '--switches', 'stock', 'fast', '--profile', trace)
    figures = json.loads(out.read_text())['figures']
    assert list(figures)[:3] == ['cpu 2 plain', 'cpu 2 stock', 'cpu 2 fast']
    for row in figures.values():
        parts = ('views', 'forward', 'ema', 'queue', 'backward', 'optimiser')
        assert all(row[f'{part}_ms'] >= 0 for part in parts)
        assert row['samples_per_s'] == pytest.approx(2 / row['step_s'])
    assert json.loads(trace.read_text())['traceEvents']


@pytest.mark.slow
def test_each_switch_of_a_cpu_runs_alone(tool, tmp_path):
    out = tmp_path / 'step.json'
    options = ['--batch-size', 2, '--rounds', 1, '--no-memory', '--out', out]
    switches = ['device_views', 'resident', 'foreach', 'fused']
    tool('step', *options, '--switches', *switches)
    figures = json.loads(out.read_text())['figures']
    assert list(figures) == [f'cpu 2 {name}' for name in ('plain', *switches)]
    views = {name: row['views_ms'] for name, row in figures.items()}
    assert max(views, key=views.get) == 'cpu 2 device_views'


def test_step_names_a_switch_it_does_not_know(tool, capsys):
    with pytest.raises(SystemExit):
        tool('step', '--switches', 'warp')
    assert 'warp is unknown; known: stock' in capsys.readouterr().err


@pytest.mark.slow
def test_epoch_projects_from_a_part_of_the_clips(tool, tmp_path):
    out = tmp_path / 'epoch.json'
    tool('epoch', '--scale', 0.0003, '--batch-size', 2, '--workers', 0, '--out', out)
    figures = json.loads(out.read_text())['figures']
    assert list(figures) == ['hiclr_stgcn_ntu60.py', 'hiclr_stgcn_ntu60_fast.py']
    for row in figures.values():
        assert row['clips'] == 12
        assert 0 <= row['waiting_for_data'] < 1
        hours = row['epoch_of_ntu60_s'] * 300 / 3600
        assert row['training_of_ntu60_h'] == pytest.approx(hours)


def test_epoch_needs_two_batches(tool):
    with pytest.raises(SystemExit, match='fewer than two batches'):
        tool('epoch', '--scale', 0.00005)


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='needs /proc')
def test_peak_memory_is_not_that_of_the_parent():
    held = np.ones(2**30 // 8)  # 1 GiB, beside what this process holds anyway
    code = 'from _measure import own_peak_mb; print(own_peak_mb())'
    folder = ROOT / 'tools' / 'benchmark'
    command = [sys.executable, '-c', code]
    told = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    )
    assert 50 < float(told.stdout) < held.nbytes / 2**20
