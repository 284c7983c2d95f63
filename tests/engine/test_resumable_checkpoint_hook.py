"""Checkpoints of a stock loop: written whole, resumed without torch's refusal.

What a stopped run loses, nothing, is in tests/integration/test_resume.py.
"""

import pytest
import torch
from helpers.configs import synthetic_config
from mmengine.fileio import get_file_backend
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import load_file
from hiclr_mmaction.engine.hooks.resumable_checkpoint_hook import AtomicBackend
from hiclr_mmaction.version import __version__


def test_a_file_is_replaced_at_once(tmp_path):
    path = tmp_path / 'new' / 'a.bin'
    backend = AtomicBackend()
    backend.put(b'first', path)
    with path.open('rb') as before:
        backend.put(b'second', path)
        assert before.read() == b'first'  # another file: never half of each
    assert path.read_bytes() == b'second'
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / 'a.bin'
    AtomicBackend().put(b'first', path)
    with pytest.raises(TypeError):
        AtomicBackend().put('no bytes', path)
    assert path.read_bytes() == b'first'
    assert list(tmp_path.iterdir()) == [path]


def test_a_runner_resumes_and_mmengine_is_as_before(tmp_path, monkeypatch):
    """As MMAction2's tools/train.py does it, which knows nothing of safe reading."""
    monkeypatch.setattr('sys.argv', ['/home/me/train.py', 'a b.py', '--seed', '1'])
    Runner.from_cfg(synthetic_config(tmp_path)).train()
    allowed = set(torch.serialization.get_safe_globals())
    options = {'train_cfg.max_epochs': 2, 'resume': True}
    cfg = synthetic_config(tmp_path, experiment_name='resumed', **options)
    runner = Runner.from_cfg(cfg)
    runner.train()
    meta = load_file(tmp_path / 'epoch_2.pth')['meta']
    assert meta['epoch'] == 2
    assert meta['command'] == "python train.py 'a b.py' --seed 1"
    assert meta['software'].startswith(f'hiclr_mmaction {__version__}, torch')
    assert set(torch.serialization.get_safe_globals()) == allowed
    assert type(get_file_backend(str(tmp_path))).__name__ == 'LocalBackend'
