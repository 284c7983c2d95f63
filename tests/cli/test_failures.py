"""What goes wrong around a run ends in one line with file and remedy."""

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from helpers.configs import synthetic_config
from helpers.paths import ROOT
from helpers.process import run_python
from torch.utils.data import DataLoader, Dataset

from hiclr_mmaction.atomic_write import whole_file
from hiclr_mmaction.checkpoint import write_checkpoint
from hiclr_mmaction.cli.failures import explain
from hiclr_mmaction.cli.lock import work_dir_lock

TRAIN = ROOT / 'tools' / 'train.py'


@pytest.fixture
def small_files():
    """No file may grow beyond 10 kB: as a full disk, for root as well."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize('name', ['a.pth', 'a.safetensors'])
def test_a_checkpoint_for_which_there_is_no_room(small_files, tmp_path, name):
    path = tmp_path / name
    with pytest.raises(OSError, match='File too large') as error:
        write_checkpoint(dict(state_dict={'a': torch.zeros(9999)}), path)
    line = explain(error.value, 'work')
    assert line.startswith(f'{path}: File too large: ')
    assert 'free some space' in line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written():
    path = '/proc/a.txt'  # nor by root
    with pytest.raises(OSError, match=path) as error, whole_file(path):
        pass
    assert error.value.filename == path


@pytest.mark.parametrize(
    ('number', 'remedy'),
    [
        (errno.ENOSPC, 'free some space'),
        (errno.EROFS, 'name another folder'),
        (errno.EACCES, 'name another folder'),
        (errno.EMFILE, 'ulimit -n'),
    ],
)
def test_what_the_system_refuses(number, remedy):
    for name, told in (('/a/b.json', '/a/b.json'), (None, 'work')):
        line = explain(OSError(number, os.strerror(number), name), 'work')
        assert line.startswith(f'{told}: {os.strerror(number)}: ')
        assert remedy in line


def test_a_fault_of_the_program_keeps_its_traceback():
    for error in (KeyError('a'), RuntimeError('shapes differ'), OSError('odd')):
        assert explain(error, 'work') is None


def test_ctrl_c_is_told_in_one_line():
    done = run_python("""
        from hiclr_mmaction.cli.failures import resumable
        with resumable():
            raise KeyboardInterrupt
    """)
    assert done.returncode == -signal.SIGINT  # which a shell calls 130
    assert done.stderr == 'stopped; run the same command again to resume from here\n'


class Faulty(Dataset):
    """Its second sample kills the worker, or is not there."""

    def __init__(self, fault):
        self.fault = fault

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 1 and self.fault == 'killed':
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 1:
            np.load('/nowhere/clips.npy')
        return index


@pytest.mark.parametrize(
    ('fault', 'told', 'remedy'),
    [
        ('killed', 'was killed', 'lower num_workers'),
        ('gone', "No such file or directory: '/nowhere/clips.npy'", 'Put back'),
    ],
)
def test_data_workers(fault, told, remedy):
    with pytest.raises((RuntimeError, OSError)) as error:
        list(DataLoader(Faulty(fault), num_workers=1))
    line = explain(error.value, 'work')
    assert told in line
    assert remedy in line
    assert '\n' not in line


class TestLock:
    def test_a_folder_in_use_says_by_whom(self, tmp_path):
        fork = multiprocessing.get_context('fork')
        held = fork.Event()

        def hold():
            with work_dir_lock(tmp_path):
                held.set()
                time.sleep(60)

        holder = fork.Process(target=hold)
        holder.start()
        assert held.wait(60)
        for _ in range(2):  # who asks leaves what is told
            with pytest.raises(SystemExit) as error, work_dir_lock(tmp_path):
                pass
            assert f'in use by process {holder.pid} on ' in str(error.value)
            assert '--work-dir' in str(error.value)
        holder.kill()
        holder.join()
        with work_dir_lock(tmp_path):
            pass

    def test_another_rank_needs_no_lock(self, tmp_path, monkeypatch):
        with work_dir_lock(tmp_path):
            monkeypatch.setenv('RANK', '1')
            with work_dir_lock(tmp_path):
                pass

    @pytest.mark.parametrize(
        ('written', 'stays'), [('run.log', False), ('curve.json', True)]
    )
    def test_a_new_folder_without_results_goes_again_if_a_file_is_missing(
        self, tmp_path, written, stays
    ):
        folder = tmp_path / 'run'

        def begin():
            with work_dir_lock(folder):
                (folder / written).touch()
                try:
                    (tmp_path / 'nowhere.pkl').read_bytes()
                except FileNotFoundError as error:
                    sys.exit(str(error))

        with pytest.raises(SystemExit):
            begin()
        assert folder.exists() == (folder / written).exists() == stays

    def test_it_is_free_again_after_an_error(self, tmp_path):
        with pytest.raises(KeyError), work_dir_lock(tmp_path):
            raise KeyError
        with work_dir_lock(tmp_path):
            pass

    def test_its_data_workers_are_waited_for(self, tmp_path):
        """They are forked, and so have the lock a little longer than a killed run."""

        def hold():
            with work_dir_lock(tmp_path):
                if os.fork():
                    os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(2)
                os._exit(0)

        killed = multiprocessing.get_context('fork').Process(target=hold)
        killed.start()
        killed.join()
        with work_dir_lock(tmp_path):
            pass

    def test_training_beside_a_live_run_is_refused(self, run_tool, tmp_path):
        config = tmp_path / 'config.py'
        synthetic_config(tmp_path / 'run').dump(config)
        with work_dir_lock(tmp_path / 'run'):
            for options in ([], ['--resume']):
                with pytest.raises(SystemExit, match='is in use by process'):
                    run_tool('train', config, *options)


@pytest.mark.parametrize(
    'seconds', [0.3, *(pytest.param(s, marks=pytest.mark.slow) for s in (3, 6))]
)
def test_sigterm_while_starting_up_ends_as_at_any_time(tmp_path, seconds):
    config = tmp_path / 'config.py'
    options = {'train_cfg.max_epochs': 1000}
    synthetic_config(tmp_path / 'run', **options).dump(config)
    process = subprocess.Popen(
        [sys.executable, str(TRAIN), str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.terminate()
    assert process.wait(120) == 75
