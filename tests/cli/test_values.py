"""Values of options, as users write them in a shell."""

import argparse
import math
import re

import pytest
from helpers.paths import ROOT
from mmengine.config import Config

from hiclr_mmaction.cli.common import merge_options
from hiclr_mmaction.cli.values import (
    ConfigOptions,
    add_device,
    parse_layout,
    parse_value,
)

VALUES = {
    '8': 8,
    '-1': -1,
    '1e-3': 0.001,
    'true': True,
    'None': None,
    'bone': 'bone',
    "'8'": '8',
    '"a, b"': 'a, b',
    '': '',
    'work_dirs/a-b/epoch_1.pth': 'work_dirs/a-b/epoch_1.pth',
    'data (1).pkl': 'data (1).pkl',
    '1.0,0.5,0.5': [1.0, 0.5, 0.5],
    '[1.0, 0.5]': [1.0, 0.5],
    '(1, 0.5)': (1, 0.5),
    '(1,)': (1,),
    '[]': [],
    '{}': {},
    '[1],[2]': [[1], [2]],
    '[xsub_train, /data/own.pkl]': ['xsub_train', '/data/own.pkl'],
    'dict(drop=0.1,add=0.05)': dict(drop=0.1, add=0.05),
    "dict(dims='TV', levels=[-1])": dict(dims='TV', levels=[-1]),
    'dict(dims=TV)': dict(dims='TV'),
    "{'topk': 1, 2: (3, None)}": {'topk': 1, 2: (3, None)},
    'dict(a=dict(b={c: [(1, 0)]}))': dict(a=dict(b=dict(c=[(1, 0)]))),
    "dict(file='it\\'s, here', address=https://a.b/c)": dict(
        file="it's, here", address='https://a.b/c'
    ),
}


@pytest.mark.parametrize('text', VALUES)
def test_value(text):
    value = parse_value(text)
    assert value == VALUES[text]
    assert type(value) is type(VALUES[text])


def test_what_is_no_number_is_a_float():
    assert math.isnan(parse_value('nan'))
    assert parse_value('[-inf]') == [-math.inf]


WRONG = {
    '[1, 2': "',' or ] expected at 'the end'",
    'dict(drop 0.1)': "name=value expected at 'drop 0.1)'",
    'dict(drop=)': "a value expected at ')'",
    "{'drop'}": "':' expected at '}'",
    "'a": 'a value expected',
    '[1]]': "',' or the end expected at ']'",
    '[,]': 'a value expected',
    "[__import__('os').system('touch x')]": "',' or ] expected at",
    '[' * 10**5: 'more than 50 nested brackets',
}


@pytest.mark.parametrize('text', WRONG, ids=[text[:20] for text in WRONG])
def test_what_is_wrong_is_said(text):
    with pytest.raises(ValueError, match=re.escape(WRONG[text])):
        parse_value(text)


def test_option_of_a_config_is_one_line(capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions)
    args = parser.parse_args(['--cfg-options', 'a.b=1', 'a.b=2', 'c=dict(d=[1])'])
    assert args.cfg_options == {'a.b': 2, 'c': dict(d=[1])}
    for option in ('a.b', 'c=dict(d=[1)'):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(['--cfg-options', option])
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f'--cfg-options {option.partition("=")[0]}: ')


@pytest.mark.parametrize('value', ['dict(topk=1)', '{topk: 1}'])
@pytest.mark.parametrize('before', [None, 'a name', dict(topk=3)])
def test_dict_takes_the_place_of_what_was_there(before, value):
    cfg = Config(dict(model=dict(mining=before)))
    merge_options(cfg, {'model.mining': parse_value(value)})
    assert cfg.model.mining == dict(topk=1)


def test_layout_is_a_name_or_a_dict():
    assert parse_layout('kinect20') == 'kinect20'
    rod = dict(joints=['foot', 'head'], bones=[(1, 0)])
    assert parse_layout("dict(joints=['foot', 'head'], bones=[(1, 0)])") == rod
    assert parse_layout(str(rod)) == rod
    with pytest.raises(argparse.ArgumentTypeError, match='neither a name nor a dict'):
        parse_layout('[1, 2]')


def test_options_that_the_page_names_can_be_given():
    page = (ROOT / 'docs' / 'configs.md').read_text()
    table = page.partition('## Common settings')[2].partition('##')[0]
    options = re.findall(r'^\| `([\w.]+)` \| `([^`]+)`', table, re.MULTILINE)
    assert len(options) >= 4
    cfg = Config.fromfile(ROOT / 'configs' / 'hiclr_stgcn_ntu60.py')
    for key, value in options:
        value = parse_value(value.strip('"'))
        merge_options(cfg, {key: value})
        found = cfg
        for name in key.split('.'):
            found = found[name]
        assert found == value


@pytest.mark.parametrize('device', ['gpu', 'cuda:99'])
def test_a_device_that_does_not_work_is_refused(device, capsys):
    parser = argparse.ArgumentParser()
    add_device(parser)
    assert parser.parse_args([]).device == 'cpu'
    with pytest.raises(SystemExit):
        parser.parse_args(['--device', device])
    assert f'--device: {device} cannot be used here' in capsys.readouterr().err
