"""Learners beside HiCLR, ours and another project's, meet every hook and tool."""

import copy
import json
import runpy
import sys
from pathlib import Path

import helpers.byol  # noqa: F401  registers it
import numpy as np
import pytest
import torch
from helpers.configs import with_learner
from helpers.paths import ROOT
from helpers.process import forget_runs
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.runner import Runner

from hiclr_mmaction.apis import extract_features, init_encoder
from hiclr_mmaction.checkpoint import (
    export_checkpoint,
    export_onnx,
    read_checkpoint,
)
from hiclr_mmaction.engine import AccelerationHook, CollapseWarningHook
from hiclr_mmaction.engine.config_check import check_config
from hiclr_mmaction.evaluation.protocol import read_config
from hiclr_mmaction.visualization import sample_views

# Each with a loss that it logs.
LEARNERS = dict(
    BYOL='loss_byol',
    SkeletonVICReg='loss_variance',
    PCM3='loss_prediction',
)


@pytest.fixture(scope='module', params=LEARNERS)
def learner(request):
    return request.param


@pytest.fixture(scope='module')
def trained(learner, tmp_path_factory):
    """An epoch under the hooks of the default runtime, and those that are optional."""
    cfg = with_learner(learner, tmp_path_factory.mktemp(learner))
    cfg.train_dataloader.dataset.indices = 16  # two steps
    cfg.default_hooks.checkpoint.interval = 1
    cfg.default_hooks.non_finite_loss.action = 'skip'
    cfg.default_hooks.runtime_info = dict(type='IntervalInfoHook', interval=1)
    cfg.default_hooks.visualization = dict(type='VisualLogHook', tensorboard=False)
    cfg.custom_hooks.append(dict(type='AccelerationHook'))
    check_config(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_trains_under_every_hook(trained, learner):
    assert trained.iter == 2
    assert type(trained.model).__name__ == learner
    scalars = trained.message_hub.log_scalars
    assert scalars[f'train/{LEARNERS[learner]}'].data[0].shape == (2,)
    assert 0 < scalars['train/feature_spread'].current() < 1.5


def test_is_validated_by_k_nn_against_the_untrained_encoder(trained):
    assert 0 <= trained.message_hub.log_scalars['val/knn/k1'].current() <= 1
    assert 'knn/k1' in trained.message_hub.runtime_info['before_training']


def test_its_views_are_logged(trained):
    (picture,) = Path(trained.work_dir).rglob('views_0.png')
    assert picture.stat().st_size > 10_000


def test_its_encoders_are_compiled(learner, tmp_path):
    model = MODELS.build(with_learner(learner, tmp_path).model)
    hook = AccelerationHook(tf32=False, compile=True)
    hook.accelerate(model, torch.device('cuda'))  # compilation itself comes later
    for encoder in model.encoders.values():
        assert encoder._compiled_call_impl is not None


def test_its_collapse_is_warned_of(trained, caplog):
    hook = CollapseWarningHook(begin=1, interval=1)
    with caplog.at_level('WARNING', trained.logger.name):
        trained.logger.addHandler(caplog.handler)
        hook.after_train_iter(trained, 0, outputs=dict(feature_spread=torch.zeros(())))
        trained.logger.removeHandler(caplog.handler)
    assert 'The features have collapsed' in caplog.text


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'model.neck.in_channles': 3}, 'did you mean in_channels'),
        ({'model.backbone.out_channels': 0}, 'out_channels=0'),
        ({'model.momentun': 0.1}, 'momentun is not a setting of {}'),
    ],
)
def test_its_settings_are_checked(learner, tmp_path, options, message):
    with pytest.raises(ValueError, match=message.format(learner)):
        check_config(with_learner(learner, tmp_path, **options))


def test_its_views_are_drawn(learner, tmp_path):
    cfg = with_learner(learner, tmp_path)
    views = sample_views(
        DATASETS.build(cfg.train_dataloader.dataset), MODELS.build(cfg.model)
    )
    assert [view.name for view in views[:2]] == ['key', 'query 1']


@pytest.fixture
def config(learner, tmp_path):
    with_learner(learner, tmp_path).dump(tmp_path / 'learner.py')
    return tmp_path / 'learner.py'


@pytest.fixture
def run_tool(monkeypatch):
    """Run a program of tools/ in this process."""

    def run(name, *args):
        tool = ROOT / 'tools' / f'{name}.py'
        monkeypatch.syspath_prepend(tool.parent)
        monkeypatch.setenv('LOCAL_RANK', '0')  # which it writes
        monkeypatch.setattr(sys, 'argv', [str(tool), *map(str, args)])
        forget_runs()
        runpy.run_path(str(tool), run_name='__main__')

    return run


def test_its_views_are_browsed(config, tmp_path, run_tool, capsys):
    run_tool('analysis/browse_views', config, '--out', tmp_path / 'views.png')
    assert (tmp_path / 'views.png').is_file()
    assert 'query 1' in capsys.readouterr().out


def test_its_checkpoint_is_tested(trained, config, tmp_path, run_tool):
    checkpoint = f'{trained.work_dir}/epoch_1.pth'
    run_tool('test', config, checkpoint, '--work-dir', tmp_path / 'test')
    (file,) = (tmp_path / 'test').glob('*/*.json')
    accuracy = trained.message_hub.log_scalars['val/knn/k1'].current()
    assert json.loads(file.read_text())['knn/k1'] == pytest.approx(accuracy)


def test_its_label_curve_is_drawn(trained, config, tmp_path, run_tool):
    folder = tmp_path / 'curve'
    run_tool(
        *('label_curve', config, '--work-dir', folder, '--fractions', '1'),
        *('--checkpoint', f'{trained.work_dir}/epoch_1.pth', '--views', '2'),
        *('--no-training', '--no-hybrid', '--baselines', '--seeds', '0'),
    )
    assert json.loads((folder / 'curve.json').read_text())['cells']


def test_its_features_are_written(trained, tmp_path, run_tool):
    clip = np.random.default_rng(0).normal(size=(30, 25, 3)).astype(np.float32)
    np.save(tmp_path / 'clip.npy', clip)
    checkpoint = f'{trained.work_dir}/epoch_1.pth'
    out = tmp_path / 'features.npz'
    run_tool('features', tmp_path / 'clip.npy', out, '--checkpoint', checkpoint)
    encoder = init_encoder(trained.cfg, checkpoint)
    expected = extract_features(encoder, [clip[None]])
    np.testing.assert_allclose(np.load(out)['features'], expected, atol=1e-5)


@pytest.mark.slow
def test_its_encoder_is_exported_to_onnx(trained, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime', reason='extra `onnx`')
    model = copy.deepcopy(trained.model).cpu().eval()
    model.pool = dict(time=4, joints=True, std=True, layers=['gcn.1'])
    config = Config(dict(model=dict(trained.cfg.model, pool=model.pool)))
    config.test_dataloader = trained.cfg.test_dataloader
    source, target = f'{trained.work_dir}/epoch_1.pth', tmp_path / 'encoder.onnx'
    export_onnx(source, target, config=config.to_dict())
    session = onnxruntime.InferenceSession(str(target))
    x = torch.randn(2, 1, 24, 25, 3)
    (features,) = session.run(None, {'keypoint': x.numpy()})
    with torch.no_grad():
        expected = model.extract_feat(x)
    torch.testing.assert_close(torch.from_numpy(features), expected, rtol=0, atol=1e-4)


def test_linear_evaluation_needs_neither_neck_nor_preprocessor(learner, tmp_path):
    cfg = with_learner(learner, tmp_path)
    for part in ('neck', 'data_preprocessor'):
        cfg.model.pop(part)
    cfg.dump(tmp_path / 'learner.py')
    linear = read_config(tmp_path / 'learner_linear.py')
    assert linear.model.cls_head.in_channels == 16
    assert linear.model.data_preprocessor == dict(type='SkeletonViewPreprocessor')


def test_its_encoder_is_taken_out_of_a_checkpoint(trained, tmp_path):
    checkpoint = f'{trained.work_dir}/epoch_1.pth'
    encoder = init_encoder(trained.cfg, checkpoint)
    clips = [np.random.default_rng(0).normal(size=(1, 30, 25, 3)).astype(np.float32)]
    assert extract_features(encoder, clips).shape == (1, 16)
    exported = export_checkpoint(checkpoint, tmp_path / 'exported.pth')
    assert exported['type'] == 'RecognizerGCN'
    weights = read_checkpoint(tmp_path / 'exported.pth')['state_dict']
    assert torch.equal(
        weights['backbone.gcn.0.gcn.conv.weight'],
        trained.model.backbone.gcn[0].gcn.conv.weight,
    )
