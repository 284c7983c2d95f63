import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers.configs import synthetic_config
from helpers.process import forget_runs, fork, run_program
from mmaction.registry import MODELS

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / 'tools'

TINY_CONFIG = """
default_scope = 'mmaction'
custom_imports = dict(imports=['tiny_project'])
model = dict(type='TinyModel')
dataset = dict(type='TinyNumbers', length=8)
train_dataloader = dict(batch_size=2, dataset=dataset,
                        sampler=dict(type='DefaultSampler', shuffle=True))
val_dataloader = dict(batch_size=2, dataset=dataset,
                      sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = val_dataloader
val_evaluator = dict(type='TinyMean')
test_evaluator = val_evaluator
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.001, momentum=0.9))
randomness = dict(seed=1)
"""


@pytest.fixture
def tiny_config(tmp_path, monkeypatch):
    """The path of a config whose project can be imported, in an empty folder."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'tiny.py'
    # Runs that start within one second share their logger but for this name.
    name = f'experiment_name = {tmp_path.name!r}\n'
    path.write_text(name + TINY_CONFIG)
    return path


@pytest.fixture
def load_tool(monkeypatch):
    """The module of a program of tools/."""
    monkeypatch.setenv('LOCAL_RANK', '0')  # programs write it; undo it after the test

    def load(name):
        name = name.replace('data/inspect', 'data/inspect_pickle')
        return importlib.import_module(f'hiclr_mmaction.cli.{name.replace("/", ".")}')

    return load


@pytest.fixture
def run_tool(load_tool, monkeypatch):
    """Run a program of tools/ in this process."""

    def run(name, *args):
        argv = [f'{name}.py', *map(str, args)]
        monkeypatch.setattr(sys, 'argv', argv)
        forget_runs()
        load_tool(name).main()

    return run


@pytest.fixture
def run_forked(load_tool, monkeypatch, tmp_path):
    """Run a program, and the steps that it starts, as forks of this process.

    Returns the exit status and what was printed.
    """
    log = tmp_path / 'forked.log'

    def fork_and_wait(name, *args):
        process = fork(run_program, name, *args, log=log)
        process.join(1800)
        return process.exitcode

    def step(command):
        module, *args = command[2:]  # after python -m
        code = fork_and_wait(module.rpartition('.')[2], *args)
        return SimpleNamespace(wait=lambda: code, kill=lambda: None)

    def run(name, *args):
        log.unlink(missing_ok=True)
        return fork_and_wait(name, *args), log.read_text()

    steps = SimpleNamespace(Popen=step)
    monkeypatch.setattr(load_tool('run_protocol'), 'subprocess', steps)
    return run


@pytest.fixture
def run_script():
    """Run a program of tools/ as a user does, in a process of its own."""

    def run(script, *args, **env):
        launch = [sys.executable] if script.endswith('.py') else []
        path = os.pathsep.join([str(HERE), os.environ.get('PYTHONPATH', '')])
        # the scripts call `python`: let it be this one
        here = str(Path(sys.executable).parent)
        programs = os.pathsep.join([here, os.environ['PATH']])
        return subprocess.run(
            [*launch, str(TOOLS / script), *map(str, args)],
            env={**os.environ, 'PYTHONPATH': path, 'PATH': programs, **env},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture
def small_run(tmp_path):
    """Config file, checkpoint with its config as mmengine writes it, and the config."""
    cfg = synthetic_config(tmp_path)
    config = tmp_path / 'small.py'
    cfg.dump(config)
    model = MODELS.build(cfg.model)
    model.init_weights()
    checkpoint = tmp_path / 'epoch_1.pth'
    meta = dict(cfg=cfg.pretty_text)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), checkpoint)
    return config, checkpoint, cfg
