import json
import os
from pathlib import Path

import pytest

TINY = ['--batch-size', '2', '--rounds', '1', '--seconds', '0']


@pytest.fixture
def views(load_tool):
    return load_tool('benchmark/views')


def test_table_json_and_trace(views, tmp_path, capsys):
    out, trace = tmp_path / 'views.json', tmp_path / 'trace.json'
    views.main([*TINY, '--out', str(out), '--profile', str(trace)])
    report = json.loads(out.read_text())
    assert report['figures']['pipeline']['ms'] > 0
    assert report['figures']['cpu_batch']['per_s'] > 0
    assert report['settings']['views'] == 4
    assert json.loads(trace.read_text())['traceEvents']
    assert 'cpu_batch' in capsys.readouterr().out


def test_a_folder_without_the_released_code_is_named(views, tmp_path):
    with pytest.raises(SystemExit, match='is not a checkout of github.com/JHang2020'):
        views.main([*TINY, '--released', str(tmp_path)])


def test_released_code_is_measured_beside_ours(views, tmp_path):
    folder = os.environ.get('HICLR_RELEASED')
    if not folder:
        pytest.skip('set HICLR_RELEASED to a checkout of github.com/JHang2020/HiCLR')
    out = tmp_path / 'views.json'
    views.main([*TINY, '--released', folder, '--out', str(out)])
    figures = json.loads(Path(out).read_text())['figures']
    assert figures['released']['ms'] > 0
    assert figures['cpu_batch']['over_released'] > 0
