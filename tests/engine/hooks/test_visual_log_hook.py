"""The visual log goes to TensorBoard through mmengine's visualizer."""

import importlib.util
import logging
import sys
from types import SimpleNamespace

import matplotlib.image
import pytest
from helpers.configs import synthetic_config, with_learner
from mmaction.registry import MODELS
from mmengine.runner import Runner

from hiclr_mmaction.engine.hooks import VisualLogHook

needs_tensorboard = pytest.mark.skipif(
    importlib.util.find_spec('tensorboard') is None,
    reason='extra `analysis` not installed',
)
ON = {'default_hooks.visualization.type': 'VisualLogHook'}


def events(work_dir):
    """What TensorBoard reads of a run."""
    accumulator = importlib.import_module(
        'tensorboard.backend.event_processing.event_accumulator'
    )
    (file,) = work_dir.glob('*/vis_data/events.*')
    read = accumulator.EventAccumulator(str(file.parent))
    read.Reload()
    return read


@needs_tensorboard
def test_one_option_logs_scalars_views_and_features(tmp_path):
    cfg = synthetic_config(tmp_path, **ON)
    cfg.train_cfg.max_epochs = 2
    cfg.train_cfg.val_interval = 1
    cfg.merge_from_dict({'default_hooks.visualization.interval': 2})
    Runner.from_cfg(cfg).train()
    read = events(tmp_path)
    scalars = read.Tags()['scalars']
    assert {'loss', 'loss_level1', 'feature_spread', 'lr', 'knn/k1'} <= set(scalars)
    assert [e.step for e in read.Scalars('knn/k1')] == [0, 1, 2]
    steps = {tag: [e.step for e in read.Images(tag)] for tag in read.Tags()['images']}
    assert steps == dict(views=[0], features=[6])  # 3 iterations an epoch
    assert min(read.Images('features')[0].width, read.Images('views')[0].height) > 300
    # The local backend has the same pictures.
    (folder,) = tmp_path.glob('*/vis_data/vis_image')
    assert {p.name for p in folder.iterdir()} == {'views_0.png', 'features_6.png'}
    assert matplotlib.image.imread(folder / 'views_0.png').std() > 0.05


@needs_tensorboard
def test_off_there_is_nothing_of_it_and_on_the_run_is_the_same(tmp_path):
    runs = {}
    for name, options in dict(off={}, on=ON).items():
        runner = Runner.from_cfg(synthetic_config(tmp_path / name, **options))
        runner.train()
        runs[name] = runner.message_hub.log_scalars['train/loss'].data[0]
        hooks = [type(hook).__name__ for hook in runner.hooks]
        assert ('VisualLogHook' in hooks) == (name == 'on')
    assert runs['off'].tolist() == runs['on'].tolist()
    assert not list((tmp_path / 'off').glob('*/vis_data/events.*'))
    assert not list((tmp_path / 'off').glob('*/vis_data/vis_image'))


@needs_tensorboard
def test_a_config_of_its_own_backends_gets_no_second_one(tmp_path):
    cfg = synthetic_config(tmp_path, **ON)
    cfg.visualizer.vis_backends = [dict(type='TensorboardVisBackend')]
    runner = Runner.from_cfg(cfg)
    runner.call_hook('before_run')
    assert len(runner.visualizer._vis_backends) == 1
    assert len(list(tmp_path.glob('*/vis_data/events.*'))) == 1


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(interval=0), 'interval=0'),
        (dict(max_clips=3), 'max_clips=3'),
        (dict(method='pca'), "method='pca'"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        VisualLogHook(**settings)


def test_views_that_cannot_be_drawn_are_warned_of(tmp_path, caplog):
    cfg = with_learner('SkeletonVICReg', tmp_path)
    cfg.model.data_preprocessor = dict(type='ActionDataPreprocessor')
    logger = logging.getLogger('visual_log')
    runner = SimpleNamespace(model=MODELS.build(cfg.model), iter=0, logger=logger)
    VisualLogHook(tensorboard=False).before_train(runner)
    assert 'no picture of views, since ActionDataPreprocessor' in caplog.text


def test_without_tensorboard_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorboard', None)  # as if it were not there
    with pytest.raises(ImportError, match='pip install tensorboard'):
        VisualLogHook()
    VisualLogHook(tensorboard=False)
