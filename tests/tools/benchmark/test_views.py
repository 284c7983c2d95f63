import json
import os
from pathlib import Path

import pytest

TINY = ['--batch-size', '2', '--frames', '60', '--rounds', '1', '--seconds', '0']


@pytest.fixture
def views(load_tool):
    return load_tool('benchmark/views')


def test_table_json_comparison_and_trace(views, tmp_path, capsys):
    out, trace = tmp_path / 'views.json', tmp_path / 'trace.json'
    views.main([*TINY, '--out', str(out), '--profile', str(trace)])
    report = json.loads(out.read_text())
    figures = report['figures']
    assert figures['all views']['pipeline_ms'] > 0
    assert figures['all views']['cpu_batch_per_s'] > 0
    assert figures['1: SkeletonBlur']['cpu_batch_ms'] > 0
    assert len(figures) == 2 + 8  # the released set has eight augmentations
    assert report['settings']['views'] == 4
    assert json.loads(trace.read_text())['traceEvents']
    report['settings']['batch_size'] = 64
    out.write_text(json.dumps(report))
    capsys.readouterr()
    views.main([*TINY, '--compare', str(out)])
    printed = capsys.readouterr().out
    assert 'settings differs: batch_size was 64, is 2' in printed
    assert 'now / stored' in printed


def test_what_cannot_be_compared_or_measured_is_named(views, tmp_path):
    with pytest.raises(SystemExit, match='is not a checkout of github.com/JHang2020'):
        views.main([*TINY, '--released', str(tmp_path)])
    with pytest.raises(SystemExit, match='there is no file'):
        views.main([*TINY, '--compare', str(tmp_path / 'none.json')])
    other = tmp_path / 'other.json'
    other.write_text('[]')
    with pytest.raises(SystemExit, match='was not written by --out'):
        views.main([*TINY, '--compare', str(other)])


def test_released_code_is_measured_beside_ours(views, tmp_path):
    folder = os.environ.get('HICLR_RELEASED')
    if not folder:
        pytest.skip('set HICLR_RELEASED to a checkout of github.com/JHang2020/HiCLR')
    out = tmp_path / 'views.json'
    views.main([*TINY, '--released', folder, '--out', str(out)])
    figures = json.loads(Path(out).read_text())['figures']
    assert figures['released feeder']['pipeline_ms'] > 0
    assert figures['all views']['cpu_batch_over_released'] > 0
