import importlib
import importlib.machinery
import importlib.metadata
import os
import pickle
import re
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner

from hiclr_mmaction.compat import workarounds as compat

TORCH_CHECKS_GLOBALS = tuple(map(int, torch.__version__.split('.')[:2])) >= (2, 6)


def run_python(code, *args, **env):
    """Run code in a process of its own, away from what this one has imported."""
    return subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code), *map(str, args)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_importing_warns_of_nothing_that_is_not_needed():
    result = run_python('import hiclr_mmaction')
    assert result.returncode == 0, result.stderr
    assert 'MultiScaleDeformableAttention' not in result.stderr


class TestReleaseChecks:
    def test_missing_mmcv_is_one_line_with_both_remedies(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'mmcv', None)
        with pytest.raises(ImportError) as error:
            compat.check_mmcv()
        message = str(error.value)
        assert message.startswith('mmcv is not installed')
        assert "pip install 'mmcv-lite>=2.0.0,<2.2.0'" in message
        assert "pip install 'mmcv>=2.0.0,<2.2.0'" in message
        assert '\n' not in message

    @pytest.mark.parametrize('version', ['1.7.2', '2.0.0rc3', '2.2.0', '3.0.0'])
    def test_mmcv_outside_the_range_is_named_with_the_remedy(
        self, monkeypatch, version
    ):
        monkeypatch.setattr('mmcv.__version__', version)
        with pytest.raises(ImportError, match=re.escape(f'mmcv=={version}')) as error:
            compat.check_mmcv()
        assert "'mmcv-lite>=2.0.0,<2.2.0'" in str(error.value)

    @pytest.mark.parametrize('version', ['2.0.0rc4', '2.0.1', '2.1.0'])
    def test_mmcv_within_the_range_passes(self, monkeypatch, version):
        monkeypatch.setattr('mmcv.__version__', version)
        compat.check_mmcv()

    @pytest.mark.parametrize('version', ['0.7.0', '1.0.0'])
    def test_mmengine_outside_the_range_is_named_with_the_remedy(
        self, monkeypatch, version
    ):
        monkeypatch.setattr('mmengine.__version__', version)
        with pytest.raises(ImportError, match=f'mmengine=={version}') as error:
            compat.check_mmengine()
        assert "pip install 'mmengine>=0.7.1,<1.0.0'" in str(error.value)

    def test_the_ranges_are_those_of_the_installed_mmaction2(self):
        import mmaction

        assert (
            mmaction.mmcv_minimum_version,
            mmaction.mmcv_maximum_version,
        ) == compat.MMCV_RANGE
        assert (
            mmaction.mmengine_minimum_version,
            mmaction.mmengine_maximum_version,
        ) == compat.MMENGINE_RANGE

    def test_missing_mmaction_is_named_by_its_package(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'mmaction', None)
        with pytest.raises(ImportError, match="pip install 'mmaction2>="):
            compat.check_mmaction()

    def test_broken_opencv_keeps_its_reason_and_gets_a_remedy(self, tmp_path):
        (tmp_path / 'cv2.py').write_text(
            "raise ImportError('libGL.so.1: cannot open shared object file')"
        )
        result = run_python(
            """
            import sys
            sys.path.insert(0, sys.argv[1])
            from importlib import util
            spec = util.spec_from_file_location('compat', sys.argv[2])
            compat = util.module_from_spec(spec)
            spec.loader.exec_module(compat)
            compat.check_opencv()
            """,
            tmp_path,
            compat.__file__,
        )
        last = result.stderr.rstrip().splitlines()[-1]
        assert 'libGL.so.1' in last
        assert 'opencv-python-headless' in last


class TestImports:
    def test_installing_twice_adds_one_finder(self):
        compat.install_workarounds()
        compat.install_workarounds()
        finders = [f for f in sys.meta_path if isinstance(f, compat._DRNFinder)]
        assert len(finders) == 1
        # asked after Python's own finder, so that it never hides a real module
        own = sys.meta_path.index(importlib.machinery.PathFinder)
        assert sys.meta_path.index(finders[0]) > own

    def test_models_import_and_a_missing_drn_says_so_when_built(self):
        compat.install_workarounds()
        localizers = importlib.import_module('mmaction.models.localizers')
        if not isinstance(localizers.drn.__spec__.loader, compat._DRNFinder):
            pytest.skip('this mmaction2 has its own DRN')
        from mmaction.registry import MODELS

        with pytest.raises(ImportError, match='from its source'):
            MODELS.build(dict(type='DRN', vocab_size=1))

    def test_an_mmaction2_that_has_drn_keeps_it(self, tmp_path):
        package = tmp_path / 'mmaction' / 'models' / 'localizers'
        (package / 'drn').mkdir(parents=True)  # no __init__.py there, as in its source
        for folder in (package, package.parent, package.parent.parent):
            (folder / '__init__.py').touch()
        (package / 'drn' / 'drn.py').write_text("class DRN:\n    own = 'yes'\n")
        code = """
            import sys
            sys.path.insert(0, sys.argv[1])
            from importlib import util
            spec = util.spec_from_file_location('compat', sys.argv[2])
            compat = util.module_from_spec(spec)
            spec.loader.exec_module(compat)
            compat.provide_drn()
            from mmaction.models.localizers.drn.drn import DRN
            print(DRN.own)
        """
        result = run_python(code, tmp_path, compat.__file__)
        assert result.stdout.split() == ['yes'], result.stderr

    def test_no_other_missing_module_is_answered_for(self):
        compat.provide_drn()
        for name in ('mmaction.models.localizers.drnx', 'mmaction.models.drn'):
            assert compat._DRNFinder().find_spec(name) is None
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module('mmaction.models.localizers.drn.drn_utils')

    def test_importlib_metadata_falls_back_to_the_standard_library(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'importlib_metadata', None)
        compat.provide_importlib_metadata()
        assert sys.modules['importlib_metadata'] is importlib.metadata

    def test_an_installed_importlib_metadata_is_left_alone(self):
        installed = pytest.importorskip('importlib_metadata')
        if installed is importlib.metadata:
            pytest.skip('importlib_metadata is not installed')
        compat.provide_importlib_metadata()
        assert sys.modules['importlib_metadata'] is installed

    def test_pose_compact_runs_and_numpy_is_unchanged(self):
        before = hasattr(np, 'Inf')
        compat.install_workarounds()
        from mmaction.datasets.transforms import PoseCompact

        keypoint = np.array([[[[10.0, 20.0], [50.0, 80.0]]]])
        results = PoseCompact(padding=0.0, threshold=1)(
            dict(keypoint=keypoint, img_shape=(100, 100))
        )
        assert results['img_shape'] == (60, 40)
        assert hasattr(np, 'Inf') == before


class Line(BaseModel):
    """y = w x, with the loss y^2."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='tensor'):
        # a list or a batch, as the loader is mmengine's or torch's
        return dict(loss=self.linear(torch.stack(list(inputs))).square().mean())


class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return dict(inputs=torch.tensor([float(index)]))


def make_runner(work_dir, max_epochs, name, **kwargs):
    return Runner(
        Line(),
        str(work_dir),
        train_dataloader=torch.utils.data.DataLoader(Numbers(), batch_size=2),
        train_cfg=dict(by_epoch=True, max_epochs=max_epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=dict(type='MultiStepLR', milestones=[1]),
        randomness=dict(seed=0),
        experiment_name=name,
        **kwargs,
    )


@pytest.fixture
def bare_torch():
    """torch's allow-list without this project's entries, restored afterwards."""
    if not TORCH_CHECKS_GLOBALS:
        pytest.skip('torch.load checks classes by default since torch 2.6')
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(before)


@pytest.fixture
def checkpoint(bare_torch, tmp_path):
    make_runner(tmp_path, 1, f'{tmp_path.name}-first').train()
    return tmp_path / 'epoch_1.pth'


class TestCheckpoints:
    def test_mmengine_needs_the_workaround(self, checkpoint):
        # When this fails, mmengine is mended and the workaround can go.
        with pytest.raises(pickle.UnpicklingError):
            torch.load(checkpoint)

    def test_a_run_resumes_where_it_stopped(self, checkpoint, tmp_path):
        compat.allow_checkpoint_globals()
        runner = make_runner(tmp_path, 2, f'{tmp_path.name}-second', resume=True)
        runner.load_or_resume()
        assert (runner.epoch, runner.iter) == (1, 2)
        assert runner.optim_wrapper.optimizer.state  # SGD's momentum
        history = runner.message_hub.get_scalar('train/loss')
        assert len(history.data[0]) == 2
        assert history.mean() == pytest.approx(np.mean(history.data[0]))
        runner.train()
        assert (runner.epoch, runner.iter) == (2, 4)

    @pytest.mark.parametrize(
        ('old', 'new'),
        [
            (b'numpy._core.multiarray', b'numpy.core.multiarray'),
            (b'numpy.core.multiarray', b'numpy._core.multiarray'),
        ],
    )
    def test_a_checkpoint_of_another_numpy_is_read(
        self, checkpoint, tmp_path, old, new
    ):
        other = tmp_path / 'other.pth'
        with zipfile.ZipFile(checkpoint) as source, zipfile.ZipFile(other, 'w') as copy:
            for name in source.namelist():
                content = source.read(name)
                if name.endswith('data.pkl'):
                    content = content.replace(old, new)
                copy.writestr(name, content)
        compat.allow_checkpoint_globals()
        loaded = torch.load(other)
        assert loaded['message_hub']['log_scalars']['train/loss'].data[0].shape == (2,)

    @pytest.mark.parametrize(
        'value', [np.float32(0.5), np.float64(0.5), np.int64(3), np.bool_(True)]
    )
    def test_numpy_scores_of_metrics_are_read(self, bare_torch, tmp_path, value):
        compat.allow_checkpoint_globals()
        torch.save(dict(best_score=value), tmp_path / 'score.pth')
        assert torch.load(tmp_path / 'score.pth')['best_score'] == value

    def test_the_check_stays_on(self, bare_torch, tmp_path):
        compat.allow_checkpoint_globals()

        class Hostile:
            def __reduce__(self):
                return eval, ('1 + 1',)

        class Reach:
            def __reduce__(self):
                return getattr, (HistoryBuffer, '__init__')

        objects = np.array([None, dict()], dtype=object)
        for payload in (Hostile(), Reach(), objects):
            torch.save(payload, tmp_path / 'hostile.pth')
            with pytest.raises(pickle.UnpicklingError):
                torch.load(tmp_path / 'hostile.pth')


class TestSafeLoading:
    """What mmengine loads itself: `--resume`, `load_from` and `init_cfg`."""

    @pytest.fixture
    def runner(self, tmp_path):
        return make_runner(tmp_path / 'run', 1, tmp_path.name)

    @pytest.fixture
    def armed(self, tmp_path):
        """A checkpoint that makes a file when it is loaded, and that file."""
        trace = tmp_path / 'was_run'

        class Call:
            def __reduce__(self):
                return os.mkdir, (str(trace),)

        content = dict(meta=dict(epoch=1, iter=2), state_dict={}, optimizer=Call())
        torch.save(content, tmp_path / 'evil.pth')
        return tmp_path / 'evil.pth', trace

    @pytest.mark.parametrize('how', ['load_checkpoint', 'resume'])
    def test_code_in_a_checkpoint_is_refused_by_name(self, runner, armed, how):
        path, trace = armed
        with pytest.raises(ValueError, match=r'evil.pth is refused: .*\(posix.mkdir\)'):
            getattr(runner, how)(str(path))
        assert not trace.exists()
        torch.load(path, weights_only=False)  # it is really armed
        assert trace.exists()

    def test_code_from_an_address_is_not_run(self, armed, tmp_path):
        from mmengine.runner import checkpoint

        path, trace = armed
        with pytest.raises(pickle.UnpicklingError, match='mkdir'):
            checkpoint.load_url(path.as_uri(), model_dir=str(tmp_path / 'cache'))
        assert not trace.exists()

    def test_attributes_beyond_the_statistics_are_refused_by_name(
        self, runner, tmp_path
    ):
        class Reach:
            def __reduce__(self):
                return getattr, (HistoryBuffer, '__init__')

        torch.save(dict(state_dict={}, extra=Reach()), tmp_path / 'reach.pth')
        with pytest.raises(ValueError, match="reach.pth is refused: .*'__init__'"):
            runner.load_checkpoint(str(tmp_path / 'reach.pth'))

    def test_the_text_of_a_config_in_a_checkpoint_is_not_run(self, runner, tmp_path):
        runner.train()
        trace = tmp_path / 'was_run'
        path = tmp_path / 'run' / 'epoch_1.pth'
        content = torch.load(path)
        content['meta']['config'] = f'import os\nos.mkdir({str(trace)!r})\n'
        torch.save(content, path)
        again = make_runner(tmp_path / 'run', 2, f'{tmp_path.name}-2', resume=True)
        again.train()
        assert again.epoch == 2
        assert not trace.exists()


class TestWholeFiles:
    def test_what_the_local_backend_writes_replaces_a_file_at_once(self, tmp_path):
        from mmengine.fileio import get_file_backend

        path = tmp_path / 'new' / 'a.bin'
        backend = get_file_backend(str(path))
        backend.put(b'first', path)
        with path.open('rb') as before:
            backend.put(b'second', path)
            assert before.read() == b'first'  # another file: never half of each
        assert path.read_bytes() == b'second'
        assert list(path.parent.iterdir()) == [path]

    def test_a_write_that_fails_leaves_the_file_as_it_was(self, tmp_path):
        from mmengine.fileio import get_file_backend

        path = tmp_path / 'a.bin'
        backend = get_file_backend(str(path))
        backend.put(b'first', path)
        with pytest.raises(TypeError):
            backend.put('no bytes', path)
        assert path.read_bytes() == b'first'
        assert list(tmp_path.iterdir()) == [path]


# Trains `Line`, each process on numbers of its own, and prints the weight.
TWO_PROCESSES = """
import os
import sys

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.registry import MODELS, DATASETS

from hiclr_mmaction.compat import leave_processes, prepare_cpu_launch
from test_compat import Line, Numbers

MODELS.register_module(module=Line)
DATASETS.register_module(module=Numbers)
cfg = Config(dict(
    model=dict(type='Line'),
    work_dir=sys.argv[1],
    launcher=sys.argv[2],
    train_dataloader=dict(
        batch_size=1, dataset=dict(type='Numbers'),
        sampler=dict(type='DefaultSampler', shuffle=False)),
    train_cfg=dict(by_epoch=True, max_epochs=1),
    optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
    env_cfg=dict(dist_cfg=dict(backend='nccl', timeout=60)),
    randomness=dict(seed=0),
))
prepare_cpu_launch(cfg)
runner = Runner.from_cfg(cfg)
model = runner.train()
weight = model.module.linear.weight.item()
line = f'rank {runner.rank} of {runner.world_size}: {weight!r}\\n'
os.write(1, line.encode())  # one write, so that two processes' lines stay whole
del runner, model
leave_processes()
"""


class TestCpuLaunch:
    def launch(self, tmp_path, launcher, *start, **env):
        script = tmp_path / 'two_processes.py'
        script.write_text(TWO_PROCESSES)
        here = os.path.dirname(__file__)
        path = os.pathsep.join([here, os.environ.get('PYTHONPATH', '')])
        return subprocess.run(
            [sys.executable, *start, str(script), str(tmp_path / 'work'), launcher],
            env={
                **os.environ,
                'PYTHONPATH': path,
                'CUDA_VISIBLE_DEVICES': '',
                'OMP_NUM_THREADS': '1',
                **env,
            },
            capture_output=True,
            text=True,
            timeout=180,
        )

    @pytest.mark.slow
    def test_two_processes_end_with_one_set_of_weights(self, tmp_path):
        torchrun = ('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2')
        result = self.launch(tmp_path, 'pytorch', *torchrun)
        assert result.returncode == 0, result.stderr
        found = dict(re.findall(r'rank (\d) of 2: (\S+)', result.stdout))
        assert sorted(found) == ['0', '1'], result.stdout
        # Apart, rank 0 sees 0, 2 and rank 1 sees 1, 3.
        assert found['0'] == found['1']

    @pytest.mark.slow
    def test_slurm_variables_are_understood(self, tmp_path):
        slurm = dict(SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_LOCALID='0')
        result = self.launch(
            tmp_path, 'slurm', **slurm, MASTER_ADDR='127.0.0.1', MASTER_PORT='0'
        )
        assert result.returncode == 0, result.stderr
        assert 'rank 0 of 1' in result.stdout

    def test_one_process_is_left_as_it_is(self):
        cfg = Config(dict(launcher='none'))
        compat.prepare_cpu_launch(cfg)
        assert cfg.to_dict() == dict(launcher='none')

    @pytest.mark.skipif(get_device() != 'cpu', reason='for a machine without GPU')
    def test_a_launcher_that_did_not_launch_is_named(self, monkeypatch):
        monkeypatch.delenv('RANK', raising=False)
        with pytest.raises(ValueError, match="launcher='pytorch'.*RANK is not set"):
            compat.prepare_cpu_launch(Config(dict(launcher='pytorch')))
