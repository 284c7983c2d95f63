"""mmengine: accepted releases, and several processes without an accelerator."""

import os

import pytest
from helpers.paths import ROOT
from helpers.process import run_python
from mmengine.config import Config
from mmengine.device import get_device

from hiclr_mmaction.compat import mmengine as compat


@pytest.mark.parametrize('version', ['0.7.0', '1.0.0'])
def test_mmengine_outside_the_range_is_named_with_the_remedy(monkeypatch, version):
    monkeypatch.setattr('mmengine.__version__', version)
    with pytest.raises(ImportError, match=f'mmengine=={version}') as error:
        compat.check_mmengine()
    assert "pip install 'mmengine>=0.7.1,<1.0.0'" in str(error.value)


# Trains `Line` in the processes of a launcher.
LAUNCHED = """
import sys

from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.registry import MODELS, DATASETS

from hiclr_mmaction.compat import leave_processes, prepare_cpu_launch
from helpers.line import Line, Numbers

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
runner.train()
print(f'rank {runner.rank} of {runner.world_size}')
del runner
leave_processes()
"""


class TestCpuLaunch:
    """With torchrun: tests/integration/test_distributed.py."""

    @pytest.mark.slow
    def test_slurm_variables_are_understood(self, tmp_path):
        path = os.pathsep.join([str(ROOT / 'tests'), os.environ.get('PYTHONPATH', '')])
        result = run_python(
            LAUNCHED, tmp_path / 'work', 'slurm',
            PYTHONPATH=path, CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1',
            SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_LOCALID='0',
            MASTER_ADDR='127.0.0.1', MASTER_PORT='0',
        )  # fmt: skip
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
