"""What mmengine loads itself: ``--resume``, ``load_from`` and ``init_cfg``."""

import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from helpers.line import Line, Numbers
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, Runner
from mmengine.runner import checkpoint as mmengine_checkpoint

from hiclr_mmaction.checkpoint import load_file, load_safely


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
def checkpoint(tmp_path):
    make_runner(tmp_path, 1, f'{tmp_path.name}-first').train()
    return tmp_path / 'epoch_1.pth'


@pytest.fixture
def safely():
    with load_safely():
        yield


@pytest.fixture
def armed(tmp_path):
    """A checkpoint that makes a folder when it is loaded, and that folder."""
    trace = tmp_path / 'was_run'

    class Call:
        def __reduce__(self):
            return os.mkdir, (str(trace),)

    content = dict(meta=dict(epoch=1, iter=2), state_dict={}, optimizer=Call())
    torch.save(content, tmp_path / 'evil.pth')
    return tmp_path / 'evil.pth', trace


def test_mmengine_needs_the_workaround(checkpoint):
    # When this fails, mmengine is mended and the workaround can go.
    with pytest.raises(pickle.UnpicklingError):
        torch.load(checkpoint)


def test_a_run_resumes_where_it_stopped(checkpoint, tmp_path, safely):
    runner = make_runner(tmp_path, 2, f'{tmp_path.name}-second', resume=True)
    runner.load_or_resume()
    assert (runner.epoch, runner.iter) == (1, 2)
    assert runner.optim_wrapper.optimizer.state  # SGD's momentum
    history = runner.message_hub.get_scalar('train/loss')
    assert len(history.data[0]) == 2
    assert history.mean() == pytest.approx(np.mean(history.data[0]))
    runner.train()
    assert (runner.epoch, runner.iter) == (2, 4)


def test_it_ends_with_the_context_or_when_undone(checkpoint):
    allowed = torch.serialization.get_safe_globals()
    load, load_url = CheckpointLoader.load_checkpoint, mmengine_checkpoint.load_url
    with load_safely():
        assert 'state_dict' in CheckpointLoader.load_checkpoint(str(checkpoint))
    switch = load_safely()
    assert 'state_dict' in CheckpointLoader.load_checkpoint(str(checkpoint))
    switch.undo()
    assert CheckpointLoader.load_checkpoint == load
    assert mmengine_checkpoint.load_url is load_url
    assert torch.serialization.get_safe_globals() == allowed


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        (b'numpy._core.multiarray', b'numpy.core.multiarray'),
        (b'numpy.core.multiarray', b'numpy._core.multiarray'),
    ],
)
def test_a_checkpoint_of_another_numpy_is_read(checkpoint, tmp_path, old, new):
    other = tmp_path / 'other.pth'
    with zipfile.ZipFile(checkpoint) as source, zipfile.ZipFile(other, 'w') as copy:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith('data.pkl'):
                content = content.replace(old, new)
            copy.writestr(name, content)
    loaded = load_file(other)
    assert loaded['message_hub']['log_scalars']['train/loss'].data[0].shape == (2,)


@pytest.mark.parametrize(
    'value', [np.float32(0.5), np.float64(0.5), np.int64(3), np.bool_(True)]
)
def test_numpy_scores_of_metrics_are_read(tmp_path, value):
    torch.save(dict(best_score=value), tmp_path / 'score.pth')
    assert load_file(tmp_path / 'score.pth')['best_score'] == value


@pytest.mark.parametrize('how', ['load_checkpoint', 'resume'])
def test_code_in_a_checkpoint_is_refused_by_name(safely, armed, tmp_path, how):
    path, trace = armed
    runner = make_runner(tmp_path / 'run', 1, tmp_path.name)
    with pytest.raises(ValueError, match=r'evil.pth is refused: .*\(posix.mkdir\)'):
        getattr(runner, how)(str(path))
    assert not trace.exists()
    torch.load(path, weights_only=False)  # it is really armed
    assert trace.exists()


def test_code_from_an_address_is_not_run(safely, armed, tmp_path):
    path, trace = armed
    with pytest.raises(pickle.UnpicklingError, match='mkdir'):
        mmengine_checkpoint.load_url(path.as_uri(), model_dir=str(tmp_path / 'cache'))
    assert not trace.exists()


def test_attributes_beyond_the_statistics_are_refused_by_name(tmp_path):
    class Reach:
        def __reduce__(self):
            return getattr, (HistoryBuffer, '__init__')

    torch.save(dict(state_dict={}, extra=Reach()), tmp_path / 'reach.pth')
    with pytest.raises(ValueError, match="reach.pth is refused: .*'__init__'"):
        load_file(tmp_path / 'reach.pth')


def test_arrays_of_objects_are_refused(tmp_path):
    torch.save(np.array([None, dict()], dtype=object), tmp_path / 'objects.pth')
    with pytest.raises(ValueError, match=r'objects.pth'):
        load_file(tmp_path / 'objects.pth')


def test_the_text_of_a_config_in_a_checkpoint_is_not_run(safely, checkpoint, tmp_path):
    trace = tmp_path / 'was_run'
    content = load_file(checkpoint)
    content['meta']['config'] = f'import os\nos.mkdir({str(trace)!r})\n'
    torch.save(content, checkpoint)
    again = make_runner(tmp_path, 2, f'{tmp_path.name}-2', resume=True)
    again.train()
    assert again.epoch == 2
    assert not trace.exists()
