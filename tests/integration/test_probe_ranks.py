"""Linear evaluation in several processes, gloo on the CPU."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.configs import ranks_config, save_pretrained
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import load_file


@pytest.fixture(scope='module')
def pretrained(tmp_path_factory):
    return save_pretrained(tmp_path_factory.mktemp('pretrained') / 'pretrained.pth')


# The mean of three equal numbers may be off in its last bit, that of two may not.
@pytest.mark.parametrize(
    ('ranks', 'batch_size', 'calls'),
    [
        (2, 5, 3 + 2),  # 12 and 6 clips a rank by fives
        pytest.param(3, 3, 3 + 1, marks=pytest.mark.slow),  # 8 by threes, 4 by fives
    ],
)
def test_ranks_share_the_extraction_and_train_as_one_process_does(
    ranks, batch_size, calls, pretrained, tmp_path
):
    single = Runner.from_cfg(
        ranks_config(tmp_path / 'single', pretrained, ranks * batch_size)
    )
    single.train()
    command = [
        sys.executable, '-m', 'torch.distributed.run', f'--nproc_per_node={ranks}',
        '--master_port=0', '--standalone', Path(__file__).with_name('probe_ranks.py'),
        tmp_path, pretrained, str(batch_size),
    ]  # fmt: skip
    env = dict(os.environ, OMP_NUM_THREADS='1')
    result = subprocess.run(command, capture_output=True, text=True, env=env)
    lines = [x for x in result.stdout.splitlines() if x.startswith('REPORT')]
    assert lines, result.stderr[-3000:]
    report = ast.literal_eval(lines[0].removeprefix('REPORT '))
    assert report['calls'] == calls
    assert report['same']
    expected = single.message_hub.get_scalar('val/acc/top1').current()
    assert report['accuracy'] == pytest.approx(expected)

    state = load_file(tmp_path / 'epoch_3.pth')['state_dict']
    loaded = load_file(pretrained)['state_dict']
    for name, value in single.model.state_dict().items():
        if name.startswith('backbone.'):
            assert torch.equal(state[name], loaded[name]), name
        else:
            torch.testing.assert_close(state[name], value, rtol=0, atol=1e-5)
