"""Fixtures of all tests."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.paths import real_data
from mmengine.registry import init_default_scope

import hiclr_mmaction  # noqa: F401  registers the components

torch.set_num_threads(1)  # the arrays are small


def pytest_collection_finish():
    # mmengine collects garbage for each data set, a third of the time of a short run;
    # what is imported by now stays, and need not be looked at.
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item):
    if item.get_closest_marker('gpu') and not torch.cuda.is_available():
        pytest.skip('needs a GPU, and torch finds none')


@pytest.fixture(autouse=True)
def _mmaction_scope():
    init_default_scope('mmaction')


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture
def data_dir() -> Path:
    """The real data sets; the test is skipped where they are not."""
    folder = real_data()
    if folder is None:
        pytest.skip('no real data: set HICLR_DATA to the folder that holds them')
    return folder


@pytest.fixture
def projects_dir(monkeypatch) -> Path:
    """MMAction2's projects folder, on the path; skipped where none is named."""
    folder = os.environ.get('MMACTION2_PROJECTS')
    if not folder:
        pytest.skip("set MMACTION2_PROJECTS to MMAction2's projects folder")
    monkeypatch.syspath_prepend(folder)
    return Path(folder)
