"""Every config in ``configs/`` is built, takes a step and validates."""

import pickle
import re
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.configs import config
from helpers.paths import PRETRAININGS
from helpers.skeletons import coco_annotations
from mmaction.registry import MODELS
from mmengine.hooks import Hook
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner

from hiclr_mmaction.annotations.prepared import Preparation, prepare_clip
from hiclr_mmaction.evaluation.data_settings import fill_from_file
from hiclr_mmaction.evaluation.protocol import PROTOCOLS
from hiclr_mmaction.skeleton import get_layout

# Backbones of full width take long on a CPU.
WIDE = [f'hiclr_{name}_ntu60' for name in
        ('stgcn64', 'stgcnpp', 'aagcn', 'ctrgcn', 'msg3d')]  # fmt: skip
PROJECTS = ['hiclr_ctrgcn_ntu60', 'hiclr_msg3d_ntu60']  # need MMAction2's projects
STEMS = [path.stem for path in PRETRAININGS]
PRETRAINING = [
    pytest.param(name, marks=pytest.mark.slow) if name in WIDE else name
    for name in STEMS
]
SETS = ('ntu60', 'ntu120', 'pku1', 'pku2', 'nw_ucla', 'msr', 'synthetic', 'own')
# Each protocol of each data set, of another encoder and of another learner.
LABELLED = [
    f'{name}_{protocol}'
    for name in (
        *(f'hiclr_stgcn_{dataset}' for dataset in SETS),
        'hiclr_dsta_ntu60',
        'vicreg_stgcn_msr',
    )
    for protocol in PROTOCOLS
]
# Where the configs look for data, and what they expect there.
FILES = {
    'skeleton/ntu60_3d.pkl': (25, ['xsub', 'xview']),
    'skeleton/ntu120_3d.pkl': (25, ['xsub', 'xset']),
    'skeleton/pku1_3d.pkl': (25, ['xsub', 'xview']),
    'skeleton/pku2_3d.pkl': (25, ['xsub', 'xview']),
    'nw_ucla_3d.pkl': (20, ['xview', 'xsub']),
    'msr_action3d_3d.pkl': (20, ['xsub']),
    'utkinect_3d.pkl': (20, ['xsub']),
    'florence3d_3d.pkl': (15, ['xsub']),
    'kard_3d.pkl': (15, ['xsub']),
    'own.pkl': (15, ['xsub']),
}
# Skeletons in an image, as MMAction2's pickles hold them.
IMAGE_FILES = {
    'skeleton/ntu60_2d.pkl': dict(
        actions=['wave', 'push'],
        num_subjects=3,
        clips_per_action=3,
        num_val_subjects=1,
    ),
}


@pytest.fixture(scope='module')
def made_up_data(tmp_path_factory):
    """A folder of pose pickles with a few random clips each."""
    folder = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)
    for name, (joints, protocols) in FILES.items():
        annotations = [
            dict(
                frame_dir=f'clip{i}',
                label=i % 2,
                total_frames=12,
                keypoint=rng.normal(size=(1 + i % 2, 12, joints, 3)).astype(np.float16),
            )
            for i in range(12)
        ]
        names = [a['frame_dir'] for a in annotations]
        split = {}
        for protocol in protocols:
            split[f'{protocol}_train'], split[f'{protocol}_val'] = names[:8], names[8:]
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        content = dict(split=split, annotations=annotations)
        if name == 'own.pkl':
            content['layout'] = 'openni15'
        path.write_bytes(pickle.dumps(content))
        if name == 'skeleton/ntu60_3d.pkl':
            path.with_name('ntu60_3d_50.pkl').write_bytes(
                pickle.dumps(prepare(content))
            )
    for name, settings in IMAGE_FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(coco_annotations(**settings)))
    return folder


def prepare(content):
    """The same clips stored aligned, as the converters' ``--align 50`` does."""
    layout = get_layout('nturgb+d-stgcn')
    source = SimpleNamespace(
        layout=layout.name, num_person=2, untracked='released', max_gap=10
    )
    preparation = Preparation.of(source, num_frames=50)
    annotations = [
        dict(
            a,
            keypoint=prepare_clip(a['keypoint'], layout, preparation),
            total_frames=preparation.num_frames,
        )
        for a in content['annotations']
    ]
    return dict(content, annotations=annotations, prepared=asdict(preparation))


def datasets(loader):
    """The innermost data sets of a loader's config."""
    inner = loader.dataset
    while 'dataset' in inner:
        inner = inner.dataset
    return inner.get('datasets', [inner])


def few_clips(cfg):
    """Small batches, no workers; the model and its views as they are."""
    fill_from_file(cfg)
    cfg.train_dataloader.update(batch_size=4, num_workers=0, persistent_workers=False)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=4, num_workers=0, persistent_workers=False)
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    for dataset in [dataset for loader in loaders for dataset in datasets(loader)]:
        if dataset.type == 'SyntheticSkeletons':
            dataset.update(num_subjects=2, num_val_subjects=1, clips_per_action=1)
            dataset.actions = ['wave', 'squat', 'clap', 'push']
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = 1
    if cfg.model.get('mining'):
        cfg.model.mining.begin = 0  # within the one epoch


@pytest.mark.parametrize('name', PRETRAINING)
def test_config_takes_a_step_and_validates(
    name, made_up_data, tmp_path, monkeypatch, request
):
    if name in PROJECTS:
        request.getfixturevalue('projects_dir')
    monkeypatch.setenv('HICLR_DATA', str(made_up_data))
    cfg = config(name)
    few_clips(cfg)
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'test_{name}'
    runner = Runner.from_cfg(cfg)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    assert runner.iter >= 1
    changed = [
        k for k, v in runner.model.named_parameters() if not torch.equal(v, before[k])
    ]
    assert any(k.startswith('backbone') for k in changed)
    log = runner.message_hub.log_scalars
    losses = {k for k in log if k.startswith('train/loss_')}
    if cfg.model.type == 'HiCLR':
        assert any(k.startswith('key_encoder') for k in changed)
        levels = len(cfg.model.head.level_weights)
        assert losses == {
            'train/loss_contrast',
            *(f'train/loss_level{i}' for i in range(1, levels)),
        }
    assert losses
    assert all(np.isfinite(log[k].current()) for k in losses)
    if name.endswith('many'):
        names = [one['name'] for one in cfg.sets]
        assert {f'val/knn/{s}/k1' for s in names} <= set(log)
    assert {'val/knn/k1', 'val/knn/k5', 'val/knn/k20'} <= set(log)
    assert list(tmp_path.glob('best_knn_k1_*.pth'))
    assert (
        tmp_path / 'last_checkpoint'
    ).is_file() or cfg.default_hooks.checkpoint.interval > 1


def test_ntu60_is_the_released_recipe():
    """Each number of the released configuration, in one place."""
    cfg = config('hiclr_stgcn_ntu60')
    model, optimizer = cfg.model, cfg.optim_wrapper.optimizer
    assert model.backbone.graph_cfg.layout == 'nturgb+d-stgcn'
    assert (model.backbone.base_channels, model.backbone.out_channels) == (16, 256)
    assert model.backbone.tcn_dropout == 0.5
    assert (model.neck.in_channels, model.neck.out_channels) == (256, 128)
    assert (model.queue_size, model.momentum, model.head.temperature) == (
        32768,
        1e-3,
        0.07,
    )
    assert tuple(model.head.level_weights) == (1.0, 0.5, 0.5)
    assert (model.head.similarity, model.head.asymmetric) == ('kl', True)
    assert model.mining == dict(topk=1, begin=150)
    assert model.mask_token
    assert optimizer.type == 'SGD'
    assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (
        0.1,
        0.9,
        1e-4,
    )
    assert not optimizer.nesterov
    assert cfg.train_dataloader.batch_size == 128
    assert cfg.train_dataloader.drop_last
    assert cfg.train_cfg.max_epochs == 300
    assert cfg.param_scheduler[0].milestones == [250]
    assert cfg.param_scheduler[0].gamma == 0.1
    align, _ = cfg.train_dataloader.dataset.pipeline
    growing = model.data_preprocessor.views
    assert (align.num_frames, align.num_person) == (50, 2)
    names = [[t.type for t in level] for level in growing.levels]
    assert names == [
        ['SkeletonTemporalCrop', 'SkeletonShear'],
        ['SkeletonMirror', 'SkeletonRotate', 'SkeletonNoise', 'SkeletonBlur',
         'SkeletonChannelMask'],
        ['SkeletonJointMask'],
    ]  # fmt: skip
    assert not growing.get('grown', False)


@pytest.mark.parametrize('dataset', ['nw_ucla', 'msr'])
def test_skeletonclr_differs_from_its_hiclr_twin_in_the_levels_alone(dataset):
    hiclr, twin = (
        config(f'{method}_stgcn_{dataset}').to_dict()
        for method in ('hiclr', 'skeletonclr')
    )
    assert twin['model']['head'].pop('level_weights') == (1.0,)
    assert hiclr['model']['head'].pop('level_weights') == (1.0, 0.5)
    assert twin['model'].pop('mask_token') is False
    two, one = (
        c['model']['data_preprocessor'].pop('views')['levels'] for c in (hiclr, twin)
    )
    assert two[:1] == one
    assert hiclr == twin


@pytest.mark.parametrize(
    'name',
    [
        # Those of NTU-60 but for the file and the number of classes.
        pytest.param(name, marks=pytest.mark.slow)
        if re.search('ntu120|pku', name)
        else name
        for name in [*LABELLED, 'hiclr_stgcn_many_linear']
    ],
)
def test_labelled_config_takes_a_step_and_validates(
    name, made_up_data, tmp_path, monkeypatch
):
    monkeypatch.setenv('HICLR_DATA', str(made_up_data))
    cfg = config(name)
    few_clips(cfg)
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'test_{name}'
    weights = None
    if not name.endswith('supervised'):
        pretrained = cfg.model.backbone.init_cfg
        weights = MODELS.build(dict(cfg.model.backbone, init_cfg=None)).state_dict()
        for key in weights:
            if key.endswith('num_batches_tracked'):
                weights[key].fill_(1000)  # their statistics have settled
        pretrained.checkpoint = str(tmp_path / 'pretrained.pth')
        state = {f'backbone.{k}': v for k, v in weights.items()}
        torch.save(dict(state_dict=state), pretrained.checkpoint)
    runner = Runner.from_cfg(cfg)
    seen = []
    runner.register_hook(_KeepWeights(seen), priority='LOWEST')
    runner.train()
    assert runner.iter >= 1
    before, after = seen[0], runner.model.state_dict()
    assert not torch.equal(before['cls_head.fc.weight'], after['cls_head.fc.weight'])
    for key, value in (weights or {}).items():
        torch.testing.assert_close(before[f'backbone.{key}'], value)
    trained = any(
        not torch.equal(before[k], after[k]) for k in before if k.startswith('backbone')
    )
    assert trained != name.endswith('linear')
    metrics = runner.message_hub.log_scalars
    assert {'val/acc/top1', 'val/acc/top5', 'val/acc/mean1'} <= set(metrics)
    assert (tmp_path / 'last_checkpoint').is_file()
    assert not list(tmp_path.glob('best*'))  # the last epoch is the result
    assert (tmp_path / 'labelled_clips.json').is_file() == name.endswith('semi')


class _KeepWeights(Hook):
    """Keeps the weights that training begins with."""

    def __init__(self, seen):
        self.seen = seen

    def before_train_epoch(self, runner):
        state = runner.model.state_dict()
        self.seen.append({k: v.clone() for k, v in state.items()})


@pytest.mark.parametrize('name', LABELLED)
def test_labelled_config_goes_on_from_its_pretraining(name):
    """Same encoder, data, alignment and streams, and by default its last epoch."""
    cfg = config(name)
    pretraining = name.rpartition('_')[0]
    pre = config(pretraining)
    encoders = [dict(c.model.backbone) for c in (cfg, pre)]
    starts = [encoder.pop('init_cfg') for encoder in encoders]
    if 'dsta' in name:
        # As released.
        assert [encoder.pop('dropout') for encoder in encoders] == [0, 0.5]
    assert encoders[0] == encoders[1]
    assert cfg.model.cls_head.in_channels == pre.model.neck.in_channels
    del pre.model.data_preprocessor.views
    assert cfg.model.data_preprocessor == pre.model.data_preprocessor
    if name.endswith('supervised'):
        assert starts[0] == starts[1]
    else:
        epochs = pre.train_cfg.max_epochs
        name = f'epoch_{epochs}.pth' if epochs else 'last_checkpoint'
        last = f'work_dirs/{pretraining}/{name}'
        assert starts[0] == dict(type='Pretrained', checkpoint=last, prefix='backbone.')
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        (mine,), theirs = datasets(cfg[loader]), datasets(pre[loader])[-1]
        assert mine.pop('filter_cfg') == dict(labelled=True)
        for dataset in (mine, theirs):
            dataset.pop('test_mode', None)
            dataset.steps = dataset.pop('pipeline')
        same = {k: v for k, v in mine.items() if k != 'steps'}
        assert same == {k: v for k, v in theirs.items() if k != 'steps'}
        assert mine.steps[0] == theirs.steps[0]
        people = {t.num_person for t in mine.steps if 'num_person' in t}
        assert people == {theirs.steps[0].num_person}


@pytest.mark.parametrize('path', PRETRAININGS, ids=STEMS)
def test_config_is_short_and_says_what_it_is(path):
    lines = path.read_text().splitlines()
    assert lines[0].startswith('# ')
    assert len(lines) <= 60


def lr_of_epochs(cfg):
    """The learning rate of each epoch, as the schedulers make it."""
    optimizer = torch.optim.SGD(
        [torch.zeros(1, requires_grad=True)], lr=cfg.optim_wrapper.optimizer.lr
    )
    epochs = cfg.train_cfg.max_epochs
    schedulers = [
        PARAM_SCHEDULERS.build(dict(s, end=s.get('end', epochs), optimizer=optimizer))
        for s in cfg.param_scheduler
    ]
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def in_steps(*parts):
    """A schedule of (rate, epochs)."""
    return pytest.approx([rate for rate, epochs in parts for _ in range(epochs)])


WARM_UP = [(0.02, 1), (0.04, 1), (0.06, 1), (0.08, 1)]
SCHEDULES = {
    'hiclr_stgcn_ntu60': [(0.1, 250), (0.01, 50)],
    'hiclr_stgcn_ntu120': [(0.1, 250), (0.01, 50)],
    'hiclr_stgcn_pku1': [(0.1, 500), (0.01, 100)],
    'hiclr_stgcn_pku2': [(0.1, 1250), (0.01, 250)],
    'hiclr_stgcn_ntu60_linear': [(3, 80), (0.3, 20)],
    'hiclr_stgcn_ntu120_linear': [(3, 80), (0.3, 20)],
    'hiclr_stgcn_pku1_linear': [(3, 80), (0.3, 20)],
    'hiclr_stgcn_pku2_linear': [(3, 160), (0.3, 40)],
    'hiclr_dsta_ntu60_linear': [(3, 30), (0.3, 50), (0.03, 20)],
    # The released code counts from 1: epoch 30 is the first with a tenth of the rate.
    'hiclr_stgcn_ntu60_finetune': [*WARM_UP, (0.1, 25), (0.01, 25), (0.001, 16)],
    'hiclr_stgcn_ntu60_semi': [*WARM_UP, (0.1, 25), (0.01, 25), (0.001, 6)],
    'hiclr_dsta_ntu60_finetune': [*WARM_UP, (0.1, 30), (0.01, 20), (0.001, 26)],
}


@pytest.mark.parametrize('name', SCHEDULES)
def test_learning_rate_is_the_published_one_in_each_epoch(name):
    assert lr_of_epochs(config(name)) == in_steps(*SCHEDULES[name])


@pytest.mark.parametrize('dataset', ['ntu60', 'ntu120', 'pku1', 'pku2'])
def test_large_sets_have_the_published_constants(dataset):
    """Those that the schedules above do not tell."""
    pre, linear, finetune, semi = (
        config(f'hiclr_stgcn_{dataset}{suffix}')
        for suffix in ('', '_linear', '_finetune', '_semi')
    )
    model = config('hiclr_stgcn_ntu60').model
    model.mining.begin = dict(ntu60=150, ntu120=150, pku1=300, pku2=750)[dataset]
    assert pre.model.to_dict() == model.to_dict()
    assert linear.optim_wrapper.optimizer.to_dict() == dict(
        type='SGD', lr=3.0, momentum=0.9, weight_decay=0
    )
    assert linear.train_cfg.type == 'LinearProbeLoop'
    assert linear.train_dataloader.batch_size == 128
    for cfg in (finetune, semi):
        assert cfg.optim_wrapper.optimizer.to_dict() == dict(
            type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True
        )
        assert cfg.train_dataloader.batch_size == 64
        assert cfg.model.backbone.tcn_dropout == 0.5
    part = semi.train_dataloader.dataset
    assert (part.fraction, part.keep_length) == (0.1, True)
    classes = dict(ntu60=60, ntu120=120, pku1=51, pku2=51)[dataset]
    for cfg in (linear, finetune, semi):
        assert cfg.model.cls_head.num_classes == classes


def test_dsta_has_the_released_constants():
    finetune = config('hiclr_dsta_ntu60_finetune')
    assert finetune.optim_wrapper.optimizer.weight_decay == 5e-4
    assert finetune.train_dataloader.batch_size == 128
    names = [t.type for t in finetune.train_dataloader.dataset.pipeline]
    assert names[1:3] == ['SkeletonTemporalCrop', 'SkeletonShear']


@pytest.mark.parametrize('protocol', ['linear', 'finetune', 'semi'])
def test_evaluation_draws_no_augmentation(protocol):
    plain = ['SkeletonAlign', 'FormatGCNInput', 'PackActionInputs']
    for dataset in SETS:
        cfg = config(f'hiclr_stgcn_{dataset}_{protocol}')
        augmentation = [t['type'] for t in cfg.labelled_augmentation]
        if protocol == 'linear':  # its encoder sees each clip once
            augmentation = []
        for loader, drawn in (('train', augmentation), ('val', []), ('test', [])):
            (part,) = datasets(cfg[f'{loader}_dataloader'])
            names = [t.type for t in part.pipeline]
            assert names == [plain[0], *drawn, *plain[1:]]


def test_skeletonclr_is_given_the_strong_augmentation_directly():
    plain, strong = (
        config(f'skeletonclr_{kind}stgcn_msr').to_dict() for kind in ('', 'strong_')
    )
    (basic,), (everything,) = (
        c['model']['data_preprocessor'].pop('views')['levels'] for c in (plain, strong)
    )
    assert everything == [*basic, dict(type='SkeletonJointMask', ratio=0.3)]
    assert strong['model'].pop('mask_token') is True
    assert plain['model'].pop('mask_token') is False
    assert plain == strong


def test_encoder_of_one_small_set_serves_the_other():
    """Transfer is the other set's config with a checkpoint of the first."""
    for pretraining, finetuning in [('nw_ucla', 'msr'), ('msr', 'nw_ucla')]:
        pre = config(f'hiclr_stgcn_{pretraining}')
        cfg = config(f'hiclr_stgcn_{finetuning}_finetune')
        encoders = [dict(c.model.backbone, init_cfg=None) for c in (pre, cfg)]
        assert encoders[0] == encoders[1]
        assert pre.align == cfg.align
