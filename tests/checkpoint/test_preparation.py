"""Weights meet a config: are clips prepared as those that they were trained on?"""

import pytest
from helpers.configs import probe_config, save_pretrained, synthetic_config
from mmengine.runner import Runner

from hiclr_mmaction.apis import init_encoder
from hiclr_mmaction.checkpoint import build_model, read_checkpoint
from hiclr_mmaction.checkpoint.preparation import check_preparation
from hiclr_mmaction.engine import PretrainedCheckHook
from hiclr_mmaction.engine.config_check import check_weights
from hiclr_mmaction.models import SkeletonViewPreprocessor

BONE = {'model.data_preprocessor.stream': 'bone'}


def aligned(tmp_path, **settings):
    """The tiny config with other settings of its alignment."""
    cfg = synthetic_config(tmp_path)
    for loader in (cfg.test_dataloader, cfg.val_dataloader):
        for dataset in loader.dataset.datasets:
            dataset.pipeline[0].update(settings)
    return cfg


@pytest.mark.parametrize(
    ('trained', 'now', 'message'),
    [
        (BONE, {}, r"stream was 'bone' and is 'joint'.*data_preprocessor.stream"),
        ({}, BONE, r"stream was 'joint' and is 'bone'"),
        ({}, dict(num_frames=7), r'num_frames was \d+ and is 7. Set SkeletonAlign.num'),
        ({}, dict(layout='nturgb+d-stgcn'), r"layout was 'nturgb\+d' and is 'nturgb"),
        (
            {},
            dict(layout='openni15'),
            "For clips of 'openni15', map.*--to-layout.*Skele",
        ),
        ({}, dict(untracked='released'), r"untracked was 'drop' and is 'released'"),
    ],
)
def test_other_clips_are_told_apart(tmp_path, trained, now, message):
    path = save_pretrained(tmp_path / 'a.pth', **trained)
    same = synthetic_config(tmp_path, **trained)
    check_preparation(read_checkpoint(path), same.to_dict(), path)
    other = synthetic_config(tmp_path, **now) if now is BONE or not now else None
    other = other or aligned(tmp_path, **now)
    with pytest.raises(ValueError, match=message):
        check_preparation(read_checkpoint(path), other.to_dict(), path)
    with pytest.raises(ValueError, match=message):
        init_encoder(other, path)


def test_a_preprocessor_that_derives_from_ours_has_its_settings_compared(tmp_path):
    class Mine(SkeletonViewPreprocessor):
        pass

    other = synthetic_config(tmp_path, **BONE)
    other.model.data_preprocessor.type = Mine
    path = save_pretrained(tmp_path / 'a.pth')
    with pytest.raises(ValueError, match="stream was 'joint' and is 'bone'"):
        check_preparation(read_checkpoint(path), other.to_dict(), path)


def test_linear_evaluation_of_another_stream_is_refused(tmp_path):
    path = save_pretrained(tmp_path / 'a.pth', **BONE)
    runner = Runner.from_cfg(probe_config(tmp_path, path))
    with pytest.raises(ValueError, match="stream was 'bone' and is 'joint'"):
        PretrainedCheckHook().check(runner)


@pytest.mark.parametrize('meta', [None, {}, dict(cfg='model = dict()'), dict(cfg='?')])
def test_a_checkpoint_that_does_not_tell_is_taken(tmp_path, meta):
    cfg = synthetic_config(tmp_path).to_dict()
    check_preparation(dict(state_dict={}, meta=meta), cfg, 'a.pth')


def test_a_layout_may_stand_as_a_dict(tmp_path):
    path = save_pretrained(tmp_path / 'a.pth')
    cfg = aligned(tmp_path, layout=dict(base='nturgb+d'))
    check_preparation(read_checkpoint(path), cfg.to_dict(), path)


def test_an_encoder_of_another_skeleton_is_told_before_its_weights(tmp_path):
    path = save_pretrained(tmp_path / 'a.pth')
    other = aligned(tmp_path, layout='openni15')
    other.model.backbone.graph_cfg.layout = 'openni15'
    with pytest.raises(ValueError, match=r'export\.py --to-layout\), or the clips to'):
        check_weights(build_model(other.model), str(path), other)
