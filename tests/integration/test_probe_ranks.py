"""Linear evaluation and fine-tuning in several processes, gloo on the CPU."""

import pytest
import torch
from helpers.configs import ranks_config, save_pretrained
from helpers.process import finish, fork_ranks
from helpers.two_ranks import same
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import load_file
from hiclr_mmaction.compat import leave_processes, prepare_cpu_launch


@pytest.fixture(scope='module')
def pretrained(tmp_path_factory):
    return save_pretrained(tmp_path_factory.mktemp('pretrained') / 'pretrained.pth')


def train_rank(work_dir, checkpoint, batch_size, options=()):
    """Train, and write how many batches this rank's encoder saw, and what came out."""
    cfg = ranks_config(work_dir, checkpoint, batch_size)
    cfg.merge_from_dict(dict(options))
    cfg.launcher = 'pytorch'
    prepare_cpu_launch(cfg)
    runner = Runner.from_cfg(cfg)
    calls = []
    norm = runner.model.module.backbone.data_bn
    norm.register_forward_hook(lambda *_: calls.append(1))
    runner.train()
    equal = [same(value) for value in runner.model.module.state_dict().values()]
    accuracy = runner.message_hub.get_scalar('val/acc/top1').current()
    if is_main_process():
        report = dict(calls=len(calls), same=all(equal), accuracy=float(accuracy))
        torch.save(report, work_dir / 'report.pth')
    del runner, norm
    leave_processes()


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
    log = tmp_path / 'log.txt'
    args = train_rank, tmp_path, pretrained, batch_size
    for process in fork_ranks(ranks, *args, log=log):
        finish(process, log)
    report = torch.load(tmp_path / 'report.pth')
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


def test_ranks_start_fine_tuning_as_one_process_does(pretrained, tmp_path):
    options = {
        'train_cfg': dict(type='FineTuneLoop', max_epochs=3, num_views=2),
        'optim_wrapper.optimizer.lr': 0.0,
    }
    cfg = ranks_config(tmp_path / 'single', pretrained, 10)
    cfg.merge_from_dict(options)
    single = Runner.from_cfg(cfg)
    single.train()
    log = tmp_path / 'log.txt'
    for process in fork_ranks(2, train_rank, tmp_path, pretrained, 5, options, log=log):
        finish(process, log)
    assert torch.load(tmp_path / 'report.pth')['same']
    state = load_file(tmp_path / 'epoch_3.pth')['state_dict']
    assert state['cls_head.fc.weight'].abs().max() > 0.05
    for name, value in single.model.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=1e-3, atol=1e-3)
