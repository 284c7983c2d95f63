"""The configs of the protocols: one shared file each, for any pre-training."""

import pytest
from helpers.configs import config
from helpers.paths import ROOT
from mmengine.config import Config

from hiclr_mmaction.cli.common import settle
from hiclr_mmaction.evaluation.protocol import find_config, read_config


def test_name_of_a_protocol_needs_no_file(tmp_path, monkeypatch):
    base = ROOT / 'configs' / 'hiclr' / 'hiclr_stgcn_msr.py'
    (tmp_path / 'mine.py').write_text(
        f'_base_ = {str(base)!r}\n'
        'model = dict(backbone=dict(out_channels=32), neck=dict(in_channels=32))\n'
        'protocols = dict(linear=dict(train_cfg=dict(max_epochs=7)))\n'
    )
    monkeypatch.chdir(tmp_path)
    linear = read_config('mine_linear.py')
    assert linear.model.backbone.out_channels == linear.model.cls_head.in_channels == 32
    # The length of the pre-training follows from the data.
    checkpoint = linear.model.backbone.init_cfg.checkpoint
    assert checkpoint == 'work_dirs/mine/last_checkpoint'
    assert linear.model.cls_head.num_classes == 20
    # What the pre-training says wins over the shared file, and leaves the rest.
    assert linear.train_cfg.max_epochs == 7
    assert linear.optim_wrapper.optimizer.lr == 0.01
    assert linear.filename == 'mine_linear.py'


def test_protocol_loads_the_last_epoch_of_the_pretraining():
    linear = read_config(ROOT / 'configs' / 'hiclr_stgcn_ntu60_linear.py')
    checkpoint = linear.model.backbone.init_cfg.checkpoint
    assert checkpoint == 'work_dirs/hiclr_stgcn_ntu60/epoch_300.pth'


def test_file_that_names_the_last_checkpoint_is_followed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    work = tmp_path / 'work_dirs' / 'hiclr_stgcn_msr'
    work.mkdir(parents=True)
    (work / 'last_checkpoint').write_text('anywhere/epoch_3.pth')
    cfg = read_config(ROOT / 'configs' / 'hiclr' / 'hiclr_stgcn_msr_linear.py')
    settle(cfg, {})
    assert cfg.model.backbone.init_cfg.checkpoint == 'anywhere/epoch_3.pth'


def test_file_with_the_name_of_a_protocol_wins(tmp_path):
    for name in ('mine.py', 'mine_linear.py'):
        (tmp_path / name).write_text(f'name = {name!r}\n')
    assert read_config(tmp_path / 'mine_linear.py').name == 'mine_linear.py'


@pytest.mark.parametrize(
    ('name', 'moved'),
    [
        ('hiclr_stgcn_msr.py', 'configs/hiclr/hiclr_stgcn_msr.py'),
        ('hiclr_dsta_ntu60_linear.py', 'configs/hiclr/hiclr_dsta_ntu60_linear.py'),
        ('skeletonclr_stgcn_msr.py', 'configs/skeletonclr/skeletonclr_stgcn_msr.py'),
    ],
)
def test_old_path_gives_the_new_one(name, moved):
    with pytest.raises(FileNotFoundError, match=f'did you mean {moved}?'):
        read_config(f'configs/{name}')


def test_unknown_config_is_named():
    with pytest.raises(FileNotFoundError, match=r'config not found: nowhere\.py$'):
        read_config('nowhere.py')
    assert find_config('nowhere_linear.py') is None


def test_hyper_parameters_of_another_encoder_are_its_own():
    """The transformer is fine-tuned without dropout, on cropped and sheared clips."""
    cfg = config('hiclr_dsta_ntu60_finetune')
    assert cfg.model.backbone.dropout == 0
    names = [t.type for t in cfg.train_dataloader.dataset.pipeline]
    assert names[1:3] == ['SkeletonTemporalCrop', 'SkeletonShear']


@pytest.mark.parametrize('name', ['hiclr_stgcn_msr', 'hiclr_stgcn_msr_linear'])
def test_text_is_made_without_the_slow_formatter_and_is_the_config(name, monkeypatch):
    monkeypatch.setattr('mmengine.config.config.FormatCode', None)
    cfg = config(name)
    assert Config.fromstring(cfg.pretty_text, '.py').to_dict() == cfg.to_dict()
