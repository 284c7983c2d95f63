"""Pre-trained files that do not fit the encoder are refused before data are read."""

import pytest
import torch
from helpers.configs import probe_config, save_pretrained
from mmaction.registry import DATASETS
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import check_pretrained
from hiclr_mmaction.datasets import SyntheticSkeletons
from hiclr_mmaction.engine import PretrainedCheckHook


@DATASETS.register_module()
class UnreadSkeletons(SyntheticSkeletons):
    """A data set that must not be read."""

    def load_data_list(self):
        raise AssertionError('data were read')


@pytest.fixture(scope='module')
def pretrained(tmp_path_factory):
    return save_pretrained(tmp_path_factory.mktemp('pretrained') / 'pretrained.pth')


def runner(tmp_path, checkpoint, **options):
    cfg = probe_config(tmp_path, checkpoint, **options)
    cfg.train_dataloader.dataset.type = cfg.val_dataloader.dataset.type = (
        'UnreadSkeletons'
    )
    return Runner.from_cfg(cfg)


@pytest.fixture
def bad_file(tmp_path, pretrained):
    """Files that cannot be used, by what is wrong with them."""
    state = torch.load(pretrained)['state_dict']
    contents = dict(
        classifier={'fc.weight': torch.ones(2, 2), 'conv1.bias': torch.ones(2)},
        fewer={k: v for k, v in state.items() if '.gcn.1.' not in k},
        more={**state, 'backbone.extra': torch.ones(1)},
    )

    def write(kind):
        path = tmp_path / f'{kind}.pth'
        if kind == 'text':
            path.write_text('no checkpoint')
        elif kind in contents:
            torch.save(contents[kind], path)
        return path

    return write


@pytest.mark.parametrize(
    ('kind', 'error', 'message'),
    [
        ('nowhere', FileNotFoundError, 'checkpoint not found: .*nowhere.pth'),
        ('text', ValueError, 'text.pth cannot be read'),
        (
            'classifier',
            ValueError,
            r'no backbone weights \(backbone\.\*\), but fc\.\*, conv1\.\*',
        ),
        ('fewer', ValueError, r'fewer.pth does not fit .*gcn\.1\..* is missing'),
        ('more', ValueError, 'more.pth does not fit .*extra is not in the model'),
    ],
)
def test_unusable_file_is_refused_before_data_are_read(
    tmp_path, bad_file, kind, error, message
):
    with pytest.raises(error, match=message):
        runner(tmp_path, bad_file(kind)).train()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            {'model.backbone.base_channels': 4},
            r'gcn\.0\.\S+ is \(.*, the model has .*base_channels, out_channels.*'
            r'trained with \(.*base_channels=8, out_channels=16',
        ),
        (
            {'model.backbone.out_channels': 24},
            r'gcn\.2\.\S+ is \(.*, the model has .*out_channels=16',
        ),
        (
            {'model.backbone.graph_cfg.layout': 'kinect20'},
            r'of another layout: .*25 joints against 20.*graph_cfg\.layout',
        ),
        (
            {'model.backbone.graph_cfg.layout': 'nturgb+d-stgcn'},
            "other edges .*'layout': 'nturgb.d'",
        ),
    ],
)
def test_another_width_or_layout_is_told_apart(tmp_path, pretrained, options, message):
    with pytest.raises(ValueError, match=message):
        runner(tmp_path, pretrained, **options).train()


def test_file_that_fits_is_taken(tmp_path, pretrained):
    assert check_pretrained(runner(tmp_path, pretrained).model)


def test_file_to_load_from_is_checked_unless_it_is_resumed(tmp_path, bad_file):
    path = bad_file('classifier')
    options = {'model.backbone.init_cfg': None}
    built = runner(tmp_path, 'unused', **options)
    built._load_from = str(path)
    with pytest.raises(ValueError, match='no backbone weights'):
        PretrainedCheckHook().check(built)
    built._resume = True
    PretrainedCheckHook().check(built)


def test_init_cfg_without_a_file_is_named(tmp_path):
    options = {'model.backbone.init_cfg': dict(type='Pretrained', _delete_=True)}
    with pytest.raises(ValueError, match='names no checkpoint'):
        runner(tmp_path, 'unused', **options).train()


def test_graph_that_is_learnt_may_differ(tmp_path):
    # stgcn_spatial with adaptive='init': A is a parameter, which training changes.
    adaptive = {'model.backbone.gcn_adaptive': 'init'}
    path = save_pretrained(tmp_path / 'learnt.pth', **adaptive)
    content = torch.load(path)
    name = 'backbone.gcn.0.gcn.A'
    content['state_dict'][name] = content['state_dict'][name] + 0.1
    torch.save(content, path)
    assert check_pretrained(runner(tmp_path, path, **adaptive).model)


def test_hook_refuses_fine_tuning_before_weights_are_loaded(tmp_path, pretrained):
    cfg = probe_config(
        tmp_path,
        pretrained,
        **{
            'train_cfg.type': 'EpochBasedTrainLoop',
            'custom_hooks': [dict(type='PretrainedCheckHook')],
            'model.backbone.out_channels': 24,
        },
    )
    built = Runner.from_cfg(cfg)
    with pytest.raises(ValueError, match='does not fit'):
        built.train()
    assert 'train/loss' not in built.message_hub.log_scalars


def test_hook_warns_of_an_encoder_without_weights_and_lets_tests_be(tmp_path, caplog):
    options = {
        'model.backbone.init_cfg': None,
        'custom_hooks': [dict(type='PretrainedCheckHook')],
    }
    built = Runner.from_cfg(probe_config(tmp_path, 'unused', **options))
    built.logger.addHandler(caplog.handler)
    built.val()
    assert 'No pre-trained weights' not in caplog.text
    built.train()
    assert caplog.text.count('No pre-trained weights are named') == 1
