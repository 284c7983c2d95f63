import json

from helpers.configs import probe_config


def test_table_and_figures_of_a_small_probe(run_tool, tmp_path, capsys):
    cfg = probe_config(tmp_path, tmp_path / 'not_read.pth')
    cfg.dump(str(tmp_path / 'cfg.py'))
    out = tmp_path / 'figures.json'
    options = ('--epochs', 2, '--repeats', 1, '--plain', 1, '--out', out)
    run_tool('benchmark/probe', tmp_path / 'cfg.py', *options)
    figures = json.loads(out.read_text())
    assert (figures['train_clips'], figures['val_clips']) == (24, 12)
    assert (figures['epochs'], figures['steps']) == (2, 8)
    assert figures['ratio'] > 1  # the probe holds a pass
    assert figures['plain_s'] > 0
    shown = capsys.readouterr().out
    assert 'one pass over 36 clips' in shown
    assert f'{figures["ratio"]:.2f}' in shown
    assert not list(tmp_path.glob('*/epoch_*.pth'))
