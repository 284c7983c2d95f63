"""Two processes, gloo on the CPU."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    script = Path(__file__).with_name('two_ranks.py')
    command = [
        sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
        '--master_port=0', '--standalone', str(script),
        str(tmp_path_factory.mktemp('two_ranks')),
    ]  # fmt: skip
    env = dict(os.environ, OMP_NUM_THREADS='1')
    result = subprocess.run(command, capture_output=True, text=True, env=env)
    lines = [x for x in result.stdout.splitlines() if x.startswith('REPORT')]
    assert lines, result.stderr[-3000:]
    return ast.literal_eval(lines[0].removeprefix('REPORT '))


def test_queue_holds_the_keys_of_all_ranks_alike(report):
    assert report['queue']
    # 24 clips on two ranks, two epochs, 48 keys into a queue of 16 rows.
    assert report['clips'] == 12
    assert report['pointer'] == 48 % 16


def test_encoders_are_alike(report):
    assert report['weights']
    assert report['key']


def test_ranks_draw_different_views(report):
    assert report['views_differ']
