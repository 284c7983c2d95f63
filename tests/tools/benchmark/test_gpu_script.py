"""The script for a GPU runs on a CPU, and what it runs measures what it promises."""

import json
import subprocess
import sys

import pytest
from helpers.paths import ROOT

SCRIPT = ROOT / 'tools' / 'benchmark' / 'gpu.sh'
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('gpu')
    command = ['bash', SCRIPT, '--device', 'cpu', '--quick', folder]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return folder


def figures(path):
    return json.loads(path.read_text())['figures']


def test_the_tests_for_a_gpu_are_said_to_be_skipped(out):
    assert 'skipped' in (out / 'tests.log').read_text()


def test_each_switch_and_each_part_of_the_step_is_measured(out):
    rows = figures(out / 'step.json')
    switches = ('stock', 'skip_absent', 'foreach', 'fused', 'fast')
    assert list(rows) == [f'cpu 2 {name}' for name in ('plain', *switches)]
    for row in rows.values():
        parts = ('views', 'forward', 'ema', 'queue', 'backward', 'optimiser')
        assert all(row[f'{part}_ms'] >= 0 for part in parts)
        assert row['samples_per_s'] == pytest.approx(2 / row['step_s'])
    assert json.loads((out / 'trace.json').read_text())['traceEvents']


def test_both_ways_to_make_views_are_measured(out):
    rows = figures(out / 'views.json')
    assert rows.keys() == {'pipeline', 'cpu_batch'}
    assert rows['cpu_batch']['ms'] > 0


def test_the_epoch_is_projected_from_a_part_of_the_clips(out):
    rows = figures(out / 'epoch.json')
    assert list(rows) == ['hiclr_stgcn_ntu60.py', 'hiclr_stgcn_ntu60_fast.py']
    for row in rows.values():
        assert row['clips'] == 12
        assert 0 <= row['waiting_for_data'] < 1
        hours = row['epoch_of_ntu60_s'] * 300 / 3600
        assert row['training_of_ntu60_h'] == pytest.approx(hours)


@pytest.mark.parametrize('what', ['step', 'views'])
def test_another_checkout_is_measured_in_the_same_run(what, tmp_path):
    program = ROOT / 'tools' / 'benchmark' / f'{what}.py'
    options = ['--batch-size', '2', '--rounds', '1', '--against', ROOT]
    if what == 'step':
        options += ['--no-memory', '--switches']
    else:
        options += ['--seconds', '0']
    out = tmp_path / 'out.json'
    command = [sys.executable, program, *options, '--out', out]
    subprocess.run(command, check=True, capture_output=True)
    rows = figures(out)
    if what == 'step':
        assert rows['cpu 2 here']['over_against'] > 0
        assert rows['cpu 2 against']['over_against'] == 1
    else:
        assert rows['here']['over_against'] > 0
