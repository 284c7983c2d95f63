"""What is wrong in a config whatever the data are; more of it is in tests/tools."""

import re
from functools import partial

import pytest
import torch
from helpers.configs import config, synthetic_config, with_learner
from mmaction.registry import MODELS

from hiclr_mmaction.engine import NeighborMiningHook
from hiclr_mmaction.engine.config_check import check_config
from hiclr_mmaction.evaluation.data_settings import fill_from_file
from hiclr_mmaction.methods import SkeletonLearner

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


def test_views_of_the_pipeline_are_compared_with_the_head(tmp_path):
    cfg = synthetic_config(tmp_path, **{'model.head.level_weights': (1.0, 0.5)})
    growing = cfg.model.data_preprocessor.pop('views')
    growing = dict(growing, type='GrowingAugmentation')
    cfg.train_dataloader.dataset.pipeline.insert(1, growing)
    with pytest.raises(ValueError, match='weighs 2 query levels, but the views have 3'):
        check_config(cfg)
    cfg.model.head.level_weights = (1.0, 0.5, 0.5)
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


def told(cfg):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the caller reads it
        check_config(cfg)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ('make', 'options'),
    [
        (
            synthetic_config,
            {
                'model.momentum': 2.0,
                'model.queue_size': 0,
                'model.head.temperature': 0.0,
                'model.head.level_weights': (-1.0, 0.5, 0.5),
                'model.graph_augment': dict(drop=2.0, add=3.0),
                'model.data_preprocessor.ada_in': dict(dims='W', prob=4.0),
                f'{LEVELS}.0.5.kernel_size': 2,
                f'{LEVELS}.0.5.prob': 5.0,
            },
        ),
        (
            partial(with_learner, 'SkeletonVICReg'),
            {
                'model.head.loss': 'ica',
                'model.head.weights': (-1.0, 1.0, 1.0),
                'model.head.similarity': 'near',
            },
        ),
        (
            partial(with_learner, 'PCM3'),
            {
                'model.head.student_temperature': 0.0,
                'model.head.teacher_temperature': -1.0,
                'model.head.mixed_weight': -2.0,
            },
        ),
    ],
)
def test_all_mistakes_of_each_part_are_told_at_once(tmp_path, make, options):
    lines = told(make(tmp_path, **options))
    given = []
    for path, value in options.items():
        name = path.rpartition('.')[2]
        given += value.items() if isinstance(value, dict) else [(name, value)]
    assert len(lines) == len(given)
    for name, value in given:
        assert sum(f'{name}={value!r}' in line for line in lines) == 1


def test_a_mistake_that_depends_on_another_is_not_told(tmp_path):
    options = {'model.head.loss': 'ica', 'model.head.weights': (1.0, 0.005)}
    (line,) = told(with_learner('SkeletonVICReg', tmp_path, **options))
    assert "loss='ica'" in line


@pytest.mark.parametrize(
    ('setting', 'value', 'wanted'),
    [
        ('model.mining', True, 'a dict'),
        ('model.pool', True, 'a dict'),
        ('model.neck', None, 'a dict'),
        ('model.pool', dict(layers=None), 'a list of texts'),
        ('model.graph_augment', dict(drop='a'), 'a number'),
        ('model.graph_augment', dict(levels=-1), 'a list of whole numbers'),
        ('model.head.level_weights', 1.0, 'a list of numbers'),
        ('model.head.temperature', True, 'a number'),
        ('model.momentum', None, 'a number'),
        ('model.mask_token', 'no', 'True or False'),
        ('model.init_cfg', 3, 'a dict or a list of dicts'),
        (f'{LEVELS}.0.5.sigma', (1, 2, 3), 'a list of 2 numbers'),
        (f'{LEVELS}', 3, 'a list of lists of dicts'),
    ],
)
def test_settings_of_a_wrong_type_are_told(tmp_path, setting, value, wanted):
    cfg = synthetic_config(tmp_path)
    *owners, name = setting.split('.')
    owner = cfg
    for part in owners:
        owner = owner[int(part) if part.isdigit() else part]
    owner[name] = value
    if isinstance(value, dict):
        ((name, value),) = value.items()
        setting = f'{setting}.{name}'
    assert told(cfg) == [f'{setting}={value!r}: give {wanted}']


@pytest.mark.parametrize(
    ('section', 'wanted'),
    [
        ('model', 'a dict'),
        ('custom_hooks', 'a list of dicts'),
        ('default_hooks', 'a dict'),
        ('param_scheduler', 'a dict or a list of dicts'),
        ('train_dataloader', 'a dict'),
        ('val_evaluator', 'a dict or a list of dicts'),
        ('auto_scale_lr', 'a dict'),
        ('env_cfg', 'a dict'),
        ('env_cfg.mp_cfg', 'a dict'),
        ('randomness', 'a dict'),
        ('model.backbone', 'a dict'),
        ('optim_wrapper.clip_grad', 'a dict'),
        ('optim_wrapper.optimizer', 'a dict'),
        ('default_hooks.logger', 'a dict'),
        ('train_dataloader.dataset', 'a dict'),
        ('train_dataloader.sampler', 'a dict'),
        ('visualizer.vis_backends', 'a dict'),
    ],
)
def test_sections_of_a_wrong_type_are_told(tmp_path, section, wanted):
    cfg = synthetic_config(tmp_path, env_cfg=dict(), visualizer=dict())
    cfg.merge_from_dict({section: 3})
    assert f'{section}=3: give {wanted}' in told(cfg)


@pytest.mark.parametrize(
    'section', ['param_scheduler', 'val_evaluator', 'custom_hooks']
)
def test_items_that_are_no_parts_are_told(tmp_path, section):
    (line,) = told(synthetic_config(tmp_path, **{section: [5]}))
    assert line.startswith(f'{section}=[5]: give ')


@pytest.mark.parametrize(
    ('section', 'setting', 'near'),
    [
        ('randomness', 'sed', 'seed'),
        ('env_cfg', 'dist_cf', 'dist_cfg'),
        ('env_cfg.mp_cfg', 'start_method', 'mp_start_method'),
        ('auto_scale_lr', 'base_batch', 'base_batch_size'),
    ],
)
def test_settings_of_the_runner_are_known(tmp_path, section, setting, near):
    cfg = synthetic_config(tmp_path, **{section: {setting: 3}})
    cfg.randomness.seed = 0
    assert told(cfg) == [
        f'{section}.{setting} is not a setting of {section}; did you mean {near}?'
    ]


@pytest.mark.parametrize(
    'path',
    [
        'train_dataloader.dataset',
        'train_dataloader.sampler',
        'optim_wrapper.optimizer',
        'randomness.seed',
    ],
)
def test_what_is_needed_is_told(tmp_path, path):
    cfg = synthetic_config(tmp_path, env_cfg=dict())
    owner, _, name = path.partition('.')
    check_config(cfg)
    if name == 'seed':  # for which None is a value
        cfg[owner] = dict(deterministic=True)
    else:
        cfg[owner][name] = None
    assert any(line.startswith(f'{path} is missing') for line in told(cfg))


@pytest.mark.parametrize(
    'path',
    [
        'val_dataloader.sampler',
        'default_hooks.logger',
        'optim_wrapper.clip_grad',
        'auto_scale_lr',
        'custom_hooks',
    ],
)
def test_what_may_be_none(tmp_path, path):
    check_config(synthetic_config(tmp_path, **{path: None}))


def test_an_error_that_names_no_setting_hides_no_other(tmp_path):
    options = {
        'model.backbone.inflate_stages': 5,
        'model.queue_size': -3,
        'model.momentum': 5,
    }
    backbone, *others = told(synthetic_config(tmp_path, **options))
    assert 'inflate_stages=5' in backbone
    assert 'raises TypeError' in backbone
    assert len(others) == 2
    for mistake in ('queue_size=-3', 'momentum=5'):
        assert sum(mistake in line for line in others) == 1


def test_mistakes_of_data_sets_are_told_with_the_others(tmp_path):
    options = {'train_dataloader.dataset.split': 'trian', 'model.momentum': 5}
    split, momentum = told(synthetic_config(tmp_path, **options))
    assert split.startswith("train_dataloader.dataset: split='trian' is unknown")
    assert 'momentum=5' in momentum


def test_a_setting_that_two_checks_refuse_is_told_once(tmp_path):
    (line,) = told(synthetic_config(tmp_path, **{'train_cfg.max_epochs': 'x'}))
    assert line == "train_cfg.max_epochs='x': give a whole number, 1 or more"


@pytest.fixture
def hands_on():
    """A learner of another project that hands on any keyword."""

    class HandsOn(SkeletonLearner):
        def __init__(self, *args, width=2, **kwargs):
            super().__init__(*args, **kwargs)
            self.width = width * self.neck.out_channels

    HandsOn.loss = lambda self, inputs, data_samples=None: {}
    HandsOn.__abstractmethods__ = frozenset()
    MODELS.register_module(module=HandsOn)
    yield 'HandsOn'
    del MODELS.module_dict['HandsOn']


@pytest.mark.parametrize(
    ('changes', 'error'),
    [
        (dict(necck=3), "unexpected keyword argument 'necck'"),
        (dict(width=None), 'TypeError'),
        (dict(neck=None), 'AttributeError'),
    ],
)
def test_errors_of_another_projects_constructor_are_told(
    tmp_path, hands_on, changes, error
):
    cfg = with_learner('BYOL', tmp_path)
    cfg.model.type = hands_on
    check_config(cfg)
    cfg.model.update(changes)
    (line,) = told(cfg)
    ((name, value),) = changes.items()
    assert re.match(rf'model: \S*HandsOn\(.*{name}={value}\) raises \w+: ', line)
    assert error in line


def test_layouts_of_mapped_sets_agree_after_the_mapping(monkeypatch):
    monkeypatch.setenv('HICLR_DATA', 'data')
    cfg = config('hiclr_stgcn_many')
    fill_from_file(cfg)
    check_config(cfg)
    cfg.train_dataloader.dataset.datasets[2].layout = 'kinect20'
    cfg.train_dataloader.dataset.datasets[3].pipeline[1].layout = 'h36m'
    with pytest.raises(ValueError, match='num_joints 17') as caught:
        check_config(cfg)
    assert "datasets.2: SkeletonToLayout.source='openni15', but the layout" in str(
        caught.value
    )
