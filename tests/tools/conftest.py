import importlib.util
import sys

import pytest
from helpers.paths import ROOT

TOOLS = ROOT / 'tools'


@pytest.fixture
def load_tool(monkeypatch):
    """Load a program of tools/ as a module, under a name that is no one else's."""

    def load(name):
        monkeypatch.syspath_prepend((TOOLS / name).parent)
        spec = importlib.util.spec_from_file_location(
            f'hiclr_tool_{name}', TOOLS / f'{name}.py'
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run_tool(load_tool, monkeypatch):
    """Run a program of tools/ in this process."""

    def run(name, *args):
        monkeypatch.setattr(sys, 'argv', [f'{name}.py', *map(str, args)])
        load_tool(name).main()

    return run
