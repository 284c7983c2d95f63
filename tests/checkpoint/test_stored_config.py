"""Configs in checkpoints: read as literals, whatever is in them."""

import time
from pathlib import Path

import pytest

from hiclr_mmaction.checkpoint import config_of, model_cfg_of


def test_the_models_config_is_read_and_not_run():
    text = "import os\nmodel = dict(a=[1, (2, -3.5)], b={'c': None}, **dict(d=True))\n"
    assert model_cfg_of(dict(meta=dict(cfg=text)), 'a.pth') == dict(
        a=[1, (2, -3.5)], b=dict(c=None), d=True
    )
    armed = "model = dict(type=open('was_run', 'w'))"
    with pytest.raises(ValueError, match='cannot be read'):
        model_cfg_of(dict(meta=dict(cfg=armed)), 'a.pth')
    assert not Path('was_run').exists()
    for meta in ({}, None, dict(cfg='data = 1')):
        with pytest.raises(ValueError, match='does not contain its model'):
            model_cfg_of(dict(meta=meta), 'a.pth')


def test_the_whole_config_is_read_or_refused():
    text = 'model = dict(a=1)\ntest = dict(b=[2])\n'
    read = config_of(dict(meta=dict(cfg=text)), 'a.pth')
    assert read == dict(model=dict(a=1), test=dict(b=[2]))
    armed = dict(meta=dict(cfg=text + "x = open('was_run', 'w')\n"))
    assert config_of(armed, 'a.pth', ('model',)) == dict(model=dict(a=1))
    with pytest.raises(ValueError, match='cannot be read'):
        config_of(armed, 'a.pth')
    assert not Path('was_run').exists()


@pytest.mark.parametrize(
    'value',
    [
        '-' * 100_000 + '1',
        'not ' * 100_000 + '1',
        '1' + '+1' * 100_000,
        'a' + '.a' * 100_000,
        'f' + '()' * 100_000,
        'lambda: ' * 100_000 + '1',
        '1 if 1 else ' * 80_000 + '1',
        '[' * 300 + ']' * 300,
        '[' * 100_000,
        'dict(a=' * 90 + '[' * 90 + ']' * 90 + ')' * 90 + ' or 1',
        "'" + 'x' * 2_000_000 + "'",
        '9' * 10_000,
        '9 ** 9 ** 9',
        "f'{1}'",
        '{**{}}',
        '{[]: 1}',
        'dict(1)',
        'dict(**1)',
        "'\\N{x}'",
        '\0',
    ],
    ids=lambda value: value[:12],
)
def test_hostile_text_is_one_clear_error_in_no_time(value):
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r'^the config in a.pth .*--config\.$'):
        config_of(dict(meta=dict(cfg=f'model = {value}')), 'a.pth')
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize('kind', ['os.mkdir', 'subprocess.Popen', 'mmengine.load'])
def test_a_type_that_is_the_path_of_a_function_is_refused(kind):
    """mmengine would call it."""
    text = f"model = dict(backbone=[dict(type='HiCLR', a=dict(type={kind!r}))])"
    with pytest.raises(ValueError, match=f"type='{kind}' is not the name of a regist"):
        model_cfg_of(dict(meta=dict(cfg=text)), 'a.pth')
