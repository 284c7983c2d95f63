"""Damaged and hostile checkpoints: read as they were, or refused in one line."""

import importlib
import os
import pickle
import random
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from hiclr_mmaction.checkpoint import config_of, read_checkpoint

pytestmark = pytest.mark.slow
CONTENT = dict(
    state_dict={f'backbone.{i}.weight': torch.arange(50.0) + i for i in range(8)},
    meta=dict(
        epoch=3, cfg="model = dict(type='HiCLR', backbone=dict(a=[1, (2, None)]))"
    ),
)


def write(path, kind):
    if kind == 'safetensors':
        metadata = dict(cfg=CONTENT['meta']['cfg'], json='{"epoch": 3}')
        save_file(CONTENT['state_dict'], path, metadata)
    else:
        torch.save(CONTENT, path, _use_new_zipfile_serialization=kind == 'zip')


def damaged(content, rng):
    """Bytes that are changed, lost, doubled, swapped or cut off."""
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at, length = rng.randrange(len(content)), rng.choice((1, 2, 16, 300))
        match rng.randrange(5):
            case 0:
                content[at : at + length] = rng.randbytes(length)
            case 1:
                del content[at : at + length]
            case 2:
                content[at:at] = content[at : at + length]
            case 3:
                content[at] ^= 1 << rng.randrange(8)
            case 4:
                del content[max(at, 1) :]
        content = content or bytearray(b'x')
    return bytes(content)


@pytest.mark.parametrize('kind', ['zip', 'legacy', 'safetensors'])
def test_damaged_files_are_read_or_refused(tmp_path, kind):
    rng = random.Random(13)
    path = tmp_path / ('a.safetensors' if kind == 'safetensors' else 'a.pth')
    write(path, kind)
    whole = path.read_bytes()
    refused = []
    for _ in range(150):
        path.write_bytes(damaged(whole, rng))
        try:
            weights = read_checkpoint(path)['state_dict']
        except ValueError as error:
            refused.append(str(error))
            continue
        assert all(isinstance(value, torch.Tensor) for value in weights.values())
        if kind == 'zip':  # which alone has checksums
            assert weights.keys() == CONTENT['state_dict'].keys()
            for name, value in CONTENT['state_dict'].items():
                assert torch.equal(weights[name], value)
    assert len(refused) > 75
    assert all(str(path) in line and '\n' not in line for line in refused)


CALLS = [
    ('os', 'mkdir'), ('posix', 'mkdir'), ('os', 'system'), ('subprocess', 'Popen'),
    ('builtins', 'eval'), ('builtins', 'exec'), ('builtins', 'open'),
    ('builtins', '__import__'), ('importlib', 'import_module'), ('runpy', 'run_path'),
    ('pickle', 'loads'), ('torch', 'load'), ('torch.hub', 'load'), ('numpy', 'load'),
    ('operator', 'attrgetter'), ('functools', 'partial'), ('shutil', 'rmtree'),
    ('mmengine', 'load'), ('mmengine.config', 'Config.fromfile'), ('code', 'interact'),
    ('webbrowser', 'open'), ('ctypes', 'CDLL'), ('socket', 'socket'),
]  # fmt: skip


@pytest.mark.parametrize(('module', 'name'), CALLS)
@pytest.mark.parametrize('zipped', [True, False])
def test_calls_are_refused_and_not_run(tmp_path, module, name, zipped, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function = importlib.import_module(module)
    for part in name.split('.'):
        function = getattr(function, part)

    class Call:
        def __reduce__(self):
            return function, (str(tmp_path / 'was_run'),)

    content = dict(CONTENT, optimizer=Call())
    torch.save(content, 'evil.pth', _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r'evil.pth is refused: .* nothing of it was'):
        read_checkpoint('evil.pth')
    assert os.listdir() == ['evil.pth']


@pytest.mark.parametrize('payload', [b'', b'cos\nsystem\n(S"touch was_run"\ntR.'])
def test_pickles_in_place_of_the_archives_own(tmp_path, payload):
    path = tmp_path / 'a.pth'
    write(path, 'zip')
    with (
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(tmp_path / 'b.pth', 'w') as out,
    ):
        for name in source.namelist():
            out.writestr(
                name, payload if name.endswith('data.pkl') else source.read(name)
            )
    with pytest.raises(ValueError, match=r'b.pth'):
        read_checkpoint(tmp_path / 'b.pth')


def test_nested_containers_end(tmp_path):
    value = []
    for _ in range(100_000):
        value = [value]
    # By hand: pickle itself cannot write it.
    nested = b'\x80\x02' + b']' * 100_000 + b'a' * 99_999 + b'.'
    (tmp_path / 'a.pth').write_bytes(nested)
    with pytest.raises(ValueError, match=r'a.pth'):
        read_checkpoint(tmp_path / 'a.pth')
    with pytest.raises(RecursionError):
        pickle.dumps(value)


def test_damaged_configs_are_read_or_refused():
    rng = random.Random(21)
    text = CONTENT['meta']['cfg'] + '\ntrain = dict(b={"c": -1.5}, d=[(1,), "e"])\n'
    refused = []
    for _ in range(1000):
        part = damaged(text.encode(), rng).decode('utf-8', 'replace')
        try:
            assert 'model' in config_of(dict(meta=dict(cfg=part)), 'a.pth')
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 160
    beginnings = ('the config in a.pth', 'a.pth does not contain')
    assert all(line.startswith(beginnings) for line in refused)
