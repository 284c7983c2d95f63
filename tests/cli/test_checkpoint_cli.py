import pytest
import torch
from helpers.references import load_reference

from hiclr_mmaction.checkpoint import read_checkpoint


@pytest.fixture
def released(tmp_path):
    """A fine-tuning checkpoint of the released project."""
    ref = load_reference('inference')
    weights = {
        k.removeprefix('weight.'): v for k, v in ref.items() if k.startswith('weight.')
    }
    torch.save(weights, tmp_path / 'released.pt')
    return tmp_path / 'released.pt'


def test_in_and_out(run_tool, released, tmp_path, capsys):
    ours, exported = tmp_path / 'ours.pth', tmp_path / 'exported.pth'
    run_tool('checkpoint/from_hiclr', released, ours)
    run_tool('checkpoint/export', ours, exported)
    assert 'RecognizerGCN with HiCLRSTGCN' in capsys.readouterr().out
    weights = read_checkpoint(exported)['state_dict']
    assert 'cls_head.fc.weight' in weights
    assert 'backbone.gcn.0.gcn.A' in weights


@pytest.mark.parametrize('tool', ['from_hiclr', 'export'])
def test_errors_are_one_line_and_out_is_not_written(run_tool, released, tmp_path, tool):
    out = tmp_path / 'out.pth'
    (tmp_path / 'short.pth').write_bytes(released.read_bytes()[:5000])
    cases = {
        tmp_path / 'nowhere.pth': '^checkpoint not found: .*nowhere.pth$',
        tmp_path / 'short.pth': '^[^\n]*short.pth cannot be read[^\n]*$',
    }
    for path, message in cases.items():
        with pytest.raises(SystemExit, match=message):
            run_tool(f'checkpoint/{tool}', path, out)
    assert not out.exists()


def test_an_existing_file_is_kept_unless_told(run_tool, released, tmp_path):
    out = tmp_path / 'out.pth'
    out.write_text('mine')
    with pytest.raises(SystemExit, match='use --overwrite'):
        run_tool('checkpoint/from_hiclr', released, out)
    assert out.read_text() == 'mine'
    run_tool('checkpoint/from_hiclr', released, out, '--overwrite')
    assert read_checkpoint(out)['state_dict']


def test_weights_are_checked_against_a_config(run_tool, released, tmp_path):
    config = tmp_path / 'wide.py'
    config.write_text(
        "model = dict(type='RecognizerGCN', backbone=dict(type='HiCLRSTGCN', "
        "graph_cfg=dict(layout='nturgb+d-stgcn', mode='stgcn_spatial'), "
        'base_channels=32))'
    )
    args = (released, tmp_path / 'out.pth', '--config', config)
    with pytest.raises(SystemExit, match='does not fit the model'):
        run_tool('checkpoint/from_hiclr', *args)
    with pytest.raises(SystemExit, match="not the adjacency of layout 'coco'"):
        run_tool('checkpoint/from_hiclr', *args[:2], '--layout', 'coco')
