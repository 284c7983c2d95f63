"""What is wrong in a config whatever the data are; more of it is in tests/tools."""

import re

import pytest
import torch
from helpers.configs import config, synthetic_config

from hiclr_mmaction.engine import NeighborMiningHook
from hiclr_mmaction.engine.config_check import check_config

NAN = float('nan')
LEVELS = 'model.data_preprocessor.views.levels'


@pytest.mark.parametrize(
    'setting',
    [
        'model.momentum',
        'model.head.temperature',
        'model.head.level_weights',
        'model.graph_augment.drop',
        'model.data_preprocessor.ada_in.prob',
        f'{LEVELS}.2.0.ratio',
        'optim_wrapper.optimizer.lr',
        'optim_wrapper.optimizer.momentum',
        'param_scheduler.0.eta_min',
    ],
)
def test_nan_is_found_anywhere_and_told_once(tmp_path, setting):
    given = {
        'model.graph_augment': dict(drop=0.1),
        'model.data_preprocessor.ada_in': dict(prob=1.0),
        'model.head.level_weights': [1.0, 0.5, 0.5],
    }
    cfg = synthetic_config(tmp_path, **given)
    check_config(cfg)
    listed = setting.endswith('weights')
    cfg.merge_from_dict({setting: [1.0, NAN, 0.5] if listed else NAN})
    with pytest.raises(ValueError, match='nan') as caught:
        check_config(cfg)
    assert len(str(caught.value).splitlines()) == 1


def test_the_generators_stay_as_they_were(tmp_path):
    before = torch.get_rng_state()
    check_config(synthetic_config(tmp_path))
    assert torch.equal(torch.get_rng_state(), before)


def test_mining_that_is_told_when_to_begin_passes(tmp_path):
    hook = [dict(type='NeighborMiningHook', begin=0)]
    for options in (
        {'model.mining': dict(begin=0)},
        {'model.mining': dict(topk=2), 'custom_hooks': hook},
    ):
        check_config(synthetic_config(tmp_path, **options))


@pytest.mark.parametrize('kind', [NeighborMiningHook, 'mmaction.NeighborMiningHook'])
def test_a_hook_that_begins_mining_is_known_by_its_class(tmp_path, kind):
    options = {'model.mining': dict(), 'custom_hooks': [dict(type=kind, begin=0)]}
    check_config(synthetic_config(tmp_path, **options))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            {'custom_hooks': [dict(type='NeighborMiningHook')]},
            'custom_hooks.0: NeighborMiningHook needs neighbour mining',
        ),
        (
            {'model.mining': dict(begin=0), 'train_cfg.type': 'EpochBasedTrainLoop'},
            "train_cfg.type='EpochBasedTrainLoop' does not tell the model the epoch",
        ),
    ],
)
def test_mining_that_would_never_begin_is_an_error(tmp_path, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_config(synthetic_config(tmp_path, **options))


@pytest.mark.parametrize('made', [0, 2])
def test_views_are_made_at_one_place(tmp_path, made):
    cfg = synthetic_config(tmp_path)
    if made:
        levels = cfg.model.data_preprocessor.views.levels
        growing = dict(type='GrowingAugmentation', levels=levels)
        cfg.train_dataloader.dataset.pipeline.insert(1, growing)
    else:
        cfg.model.data_preprocessor.views = None
    message = 'makes views too' if made else 'nothing makes views'
    with pytest.raises(ValueError, match=message):
        check_config(cfg)


def test_all_mistakes_of_a_learner_are_told_at_once(tmp_path):
    options = {
        'model.momentum': 2.0,
        'model.mining': dict(topk=0, begin=0),
        'model.graph_augment': dict(drop=2.0),
    }
    with pytest.raises(ValueError, match='momentum') as caught:
        check_config(synthetic_config(tmp_path, **options))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert any('mining.topk=0' in line for line in lines)
    assert any('graph_augment.drop=2.0' in line for line in lines)


def test_layouts_of_mapped_sets_agree_after_the_mapping(monkeypatch):
    monkeypatch.setenv('HICLR_DATA', 'data')
    check_config(config('hiclr_stgcn_many'))
    cfg = config('hiclr_stgcn_many')
    cfg.train_dataloader.dataset.datasets[2].layout = 'kinect20'
    cfg.train_dataloader.dataset.datasets[3].pipeline[1].layout = 'h36m'
    with pytest.raises(ValueError, match='num_joints 17') as caught:
        check_config(cfg)
    assert "datasets.2: SkeletonToLayout.source='openni15', but the layout" in str(
        caught.value
    )
