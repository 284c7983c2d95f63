"""What a user may get wrong, and the words that tell.

Each row is a bad input with the message that it must give. Whatever is wrong, the last
frame of the traceback is ours and the message is short: see :func:`complaint`.
"""

import pickle
import re
import traceback
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.configs import synthetic_config
from helpers.paths import PRETRAININGS, ROOT
from mmengine.config import Config

from hiclr_mmaction.cli.common import merge_options
from hiclr_mmaction.engine.config_check import check_config
from hiclr_mmaction.evaluation.data_settings import fill_from_file
from hiclr_mmaction.evaluation.protocol import PROTOCOLS, read_config

OURS = (str(ROOT / 'hiclr_mmaction'), str(ROOT / 'tools'))


@pytest.fixture
def complaint(run_tool, capsys):
    """The words with which a program refuses its arguments."""

    def run(name, *args):
        with pytest.raises((SystemExit, ValueError, FileNotFoundError)) as caught:
            run_tool(name, *args)
        error = caught.value
        if isinstance(error, SystemExit) and error.code == 2:  # argparse
            return capsys.readouterr().err.splitlines()[-1]
        message = str(error)
        assert len(message.splitlines()) <= 3, message
        assert len(message) < 600, message
        last = traceback.extract_tb(caught.tb)[-1]
        assert last.filename.startswith(OURS), f'{last.filename}: {message}'
        return message

    return run


@pytest.fixture
def write_config(tmp_path):
    """Write the tiny synthetic config with some settings changed; ... takes one out."""

    def write(changes):
        cfg = synthetic_config(tmp_path / 'run')
        for path, value in changes.items():
            if value is ...:
                *owners, name = path.split('.')
                owner = cfg
                for part in owners:
                    owner = owner[part]
                owner.pop(name)
            else:
                cfg.merge_from_dict({path: value})
        path = tmp_path / 'config.py'
        # Not Config.dump, whose formatting takes longer than all the rest.
        sections = cfg.to_dict().items()
        path.write_text('\n'.join(f'{name} = {value!r}' for name, value in sections))
        return path

    return write


PIPELINE = 'train_dataloader.dataset.pipeline'
VIEWS = 'model.data_preprocessor.views'
LEVELS = f'{VIEWS}.levels'
VAL = 'val_dataloader.dataset.datasets.0'

CONFIGS = {
    'setting of the model': (
        {'model.quene_size': 8},
        'model.quene_size is not a setting of HiCLR; did you mean queue_size?',
    ),
    'setting of the backbone': (
        {'model.backbone.base_chanels': 8},
        'model.backbone.base_chanels is not a setting of HiCLRSTGCN; did you mean '
        'base_channels?',
    ),
    'setting of the head': (
        {'model.head.temprature': 0.1},
        'model.head.temprature is not a setting of HierarchicalContrastHead',
    ),
    'setting of mining': (
        {'model.mining': dict(top_k=1)},
        'model.mining.top_k is not a setting of mining; did you mean topk?',
    ),
    'setting of the edge perturbation': (
        {'model.graph_augment': dict(dropp=0.1)},
        'model.graph_augment.dropp is not a setting of graph_augment; did you mean drop?',
    ),
    'setting of SkeleAdaIN': (
        {'model.data_preprocessor.ada_in': dict(dim='V')},
        'data_preprocessor.ada_in.dim is not a setting of ada_in; did you mean dims?',
    ),
    'setting of the views': (
        {'model.data_preprocessor.views': dict(levels=[[]] * 3, growm=True)},
        'data_preprocessor.views.growm is not a setting of views; did you mean grown?',
    ),
    'type of a transform in the views': (
        {'model.data_preprocessor.views': dict(levels=[[dict(type='SkeletonSheer')]])},
        "data_preprocessor.views.levels.0.0.type='SkeletonSheer' is not registered in "
        "transform; did you mean 'SkeletonShear'?",
    ),
    'setting of a data loader': (
        {'train_dataloader.batchsize': 8},
        'train_dataloader.batchsize is not a setting of a data loader; did you mean '
        'batch_size?',
    ),
    'setting of a data set': (
        {'train_dataloader.dataset.spilt': 'train'},
        'train_dataloader.dataset.spilt is not a setting of SyntheticSkeletons; did you '
        'mean split?',
    ),
    'setting of a transform in a level': (
        {f'{LEVELS}.0.1.magnitude_of_shear': 1},
        f'{LEVELS}.0.1.magnitude_of_shear is not a setting of SkeletonShear; it has',
    ),
    'setting of the validation metric': (
        {'val_evaluator.k': 5},
        'val_evaluator.k is not a setting of KNNMetric; did you mean ks?',
    ),
    'setting of the optimizer': (
        {'optim_wrapper.optimizer.learning_rate': 0.1},
        'optim_wrapper.optimizer.learning_rate is not a setting of SGD; it has params, lr',
    ),
    'setting of a schedule': (
        {'param_scheduler.0.eta_mni': 0},
        'param_scheduler.0.eta_mni is not a setting of CosineAnnealingLR; did you mean '
        'eta_min?',
    ),
    'setting of a hook': (
        {'default_hooks.timer.intervall': 1},
        'default_hooks.timer.intervall is not a setting of IterTimerHook',
    ),
    'section': (
        {'train_dataloder': dict(batch_size=4)},
        'train_dataloder is not read by anything; did you mean train_dataloader?',
    ),
    'type of the model': (
        {'model.type': 'HiCRL'},
        "model.type='HiCRL' is not registered in model; did you mean 'HiCLR'?",
    ),
    'type of a transform': (
        {f'{PIPELINE}.0.type': 'SkeletonAlgin'},
        f"{PIPELINE}.0.type='SkeletonAlgin' is not registered in transform; did you "
        "mean 'SkeletonAlign'?",
    ),
    'type of a hook': (
        {'custom_hooks.0.type': 'PretrainCheckHok'},
        "custom_hooks.0.type='PretrainCheckHok' is not registered in hook",
    ),
    'type of nothing like it': (
        {'model.backbone.type': 'Zwieback'},
        "model.backbone.type='Zwieback' is not registered in model; name its module in "
        'custom_imports',
    ),
    'type that is a number': (
        {'model.backbone.type': 3},
        'model.backbone.type=3 is neither a name nor a class',
    ),
    'a part without a type': (
        {'model.neck.type': ...},
        "model.neck has no type; it needs type='...', a name of model",
    ),
    'a part that is missing': (
        {'model.neck': ...},
        'model.neck is missing; HiCLR needs it',
    ),
    'an argument that is missing': (
        {PIPELINE: [dict(type='GrowingAugmentation')]},
        f'{PIPELINE}.0.levels is missing; GrowingAugmentation needs it',
    ),
    'a section that is missing': (
        {'optim_wrapper': ..., 'param_scheduler': ...},
        'optim_wrapper missing: train needs all of train_dataloader, train_cfg, '
        'optim_wrapper',
    ),
    'a section that is a number': (
        {'randomness': 5},
        'config.py: randomness=5: give a dict',
    ),
    'a loader without a data set': (
        {'train_dataloader.dataset': ...},
        'train_dataloader.dataset is missing',
    ),
    'a batch of text': (
        {'train_dataloader.batch_size': 'eight'},
        "train_dataloader.batch_size='eight': give a whole number, 1 or more",
    ),
    'no epoch': (
        {'train_cfg.max_epochs': 0},
        'train_cfg.max_epochs=0: give a whole number, 1 or more',
    ),
    'a learning rate of 0': (
        {'optim_wrapper.optimizer.lr': -1},
        'optim_wrapper.optimizer.lr=-1: give a number, 0 or more',
    ),
    'levels against weights': (
        {'model.head.level_weights': (1.0, 0.5)},
        'weighs 2 query levels, but the views have 3; make them match',
    ),
    'levels of the views against weights': (
        {'model.data_preprocessor.views': dict(levels=[[], []])},
        'model: level_weights=(1.0, 0.5, 0.5) weighs 3 query levels, but the views have 2',
    ),
    'a level that is not there': (
        {'model.graph_augment': dict(levels=(3,))},
        'graph_augment.levels names level 3, but the views have levels 0 to 2',
    ),
    'width of the neck': (
        {'model.neck.in_channels': 64},
        'neck.in_channels=64, but the backbone gives 16 channels',
    ),
    'width of the classifier': (
        {
            'model': dict(
                _delete_=True,
                type='RecognizerGCN',
                backbone=dict(type='STGCN', graph_cfg=dict(layout='nturgb+d')),
                cls_head=dict(type='GCNHead', num_classes=3, in_channels=64),
            ),
        },
        'model.cls_head.in_channels=64, but the backbone (STGCN) gives 256 channels',
    ),
    'layout of the model': (
        {'model.backbone.graph_cfg.layout': 'kinect20'},
        "model.backbone.graph_cfg.layout='kinect20' has num_joints 20, but "
        f"{PIPELINE}.0.layout='nturgb+d' (and 5 more) has num_joints 25",
    ),
    'layout of the training set alone': (
        {f'{PIPELINE}.0.layout': 'kinect20'},
        f"{PIPELINE}.0.layout='kinect20' has num_joints 20, but",
    ),
    'one mistake in several places': (
        {f'{PIPELINE}.0.num_person': 0, f'{VAL}.pipeline.0.num_person': 0},
        f'{PIPELINE}.0 (and 1 more): num_frames=24, num_person=0',
    ),
    'layout of the validation set': (
        {f'{VAL}.pipeline.0.layout': 'coco'},
        f"{VAL}.pipeline.0.layout='coco' has num_joints 17, but",
    ),
    'layout that is unknown': (
        {'model.data_preprocessor.layout': 'ntu'},
        "model.data_preprocessor.layout: layout='ntu' is unknown; known are",
    ),
    'a milestone beyond the end': (
        {'param_scheduler': [dict(type='MultiStepLR', milestones=[20, 90])]},
        'param_scheduler.0.milestones=[20, 90] is never reached: the run ends at '
        'train_cfg.max_epochs=1',
    ),
    'a schedule that begins after the end': (
        {'param_scheduler': [dict(type='CosineAnnealingLR', begin=5)]},
        'param_scheduler.0.begin=5 is never reached',
    ),
    'mining after the end': (
        {
            'model.mining': dict(topk=1),
            'custom_hooks': [dict(type='NeighborMiningHook', begin=150)],
        },
        'custom_hooks.0.begin=150: neighbour mining is never reached',
    ),
    'SyncBN in one process': (
        {'sync_bn': 'torch'},
        "sync_bn='torch' joins the batch norm of several processes, and this is one",
    ),
    'weights that are not there': (
        {'load_from': 'nowhere.pth'},
        'load_from: checkpoint not found: nowhere.pth',
    ),
    # Found by the constructors, so that they hold in other projects' programs too.
    'momentum of the key encoder': (
        {'model.momentum': 0.0},
        'model: momentum=0.0 is not between 0 and 1',
    ),
    'an empty queue': (
        {'model.queue_size': 0},
        'model: queue_size=0 holds no negative',
    ),
    'half a negative': (
        {'model.queue_size': 128.5},
        'model.queue_size=128.5: give a whole number',
    ),
    'more neighbours than the queue holds': (
        {'model.mining': dict(topk=17, begin=0)},
        'model: mining.topk=17 is more than queue_size=16',
    ),
    'mining that never begins': (
        {'model.mining': dict(topk=1)},
        'model: mining has no begin',
    ),
    'a temperature of 0': (
        {'model.head.temperature': 0},
        'model.head: temperature=0 is not positive',
    ),
    'half a neighbour': (
        {'model.mining': dict(topk=1.5, begin=0)},
        'model.mining.topk=1.5: give a whole number',
    ),
    'an interval of text': (
        {'custom_hooks': [dict(type='CollapseWarningHook', interval='often')]},
        "custom_hooks.0.interval='often': give a whole number",
    ),
    'a ratio of text': (
        {f'{LEVELS}.2.0.ratio': 'some'},
        f"{LEVELS}.2.0.ratio='some': give a number",
    ),
    'no neighbour': (
        {'val_evaluator.ks': [0]},
        'val_evaluator: KNNMetric: ks=(0,)',
    ),
    'a negative seed': (
        {'randomness.seed': -1},
        'randomness.seed=-1: give a whole number, 0 or more',
    ),
    'a level of the log that is unknown': (
        {'log_level': 'FOO'},
        "log_level='FOO': give one of",
    ),
    'no batch to prefetch': (
        {'train_dataloader.prefetch_factor': 0},
        'train_dataloader.prefetch_factor=0: give a whole number, 1 or more',
    ),
    'a similarity that is unknown': (
        {'model.head.similarity': 'klf'},
        "similarity='klf' is unknown; known are kl, js, cosine, mse",
    ),
    'a stream that is unknown': (
        {'model.data_preprocessor.stream': 'bones'},
        "stream='bones' is unknown",
    ),
    # Found with the data.
    'a batch larger than the set': (
        {'train_dataloader.batch_size': 64, 'model.queue_size': 64},
        'batch_size=64 on 1 process(es) needs 64 clips a step, but the training set has '
        '24',
    ),
    'a queue smaller than the batch': (
        {'model.queue_size': 4},
        'queue_size=4 is smaller than the batch of 8 clips',
    ),
    'a probability of 2': (
        {f'{LEVELS}.0.0.prob': 2},
        'SkeletonTemporalCrop: prob=2 is not a probability',
    ),
    'an action that is unknown': (
        {'train_dataloader.dataset.actions': ['wave', 'swim']},
        "actions=['swim'] are unknown; known are",
    ),
    'no views': (
        {VIEWS: None},
        'nothing makes views: set model.data_preprocessor.views=dict(levels=[...])',
    ),
    'a validation without a bank': (
        {f'{VAL}.pipeline.1.knn_bank': False},
        'there is no labelled clip in the bank',
    ),
}


@pytest.mark.parametrize('name', CONFIGS)
def test_config(name, complaint, write_config):
    changes, message = CONFIGS[name]
    assert message in complaint('train', write_config(changes))


def test_all_problems_are_told_at_once(complaint, write_config):
    config = write_config({'model.quene_size': 8, 'train_cfg.max_epochs': 0})
    first, second = complaint('train', config).splitlines()
    assert first.startswith(f'{config}: model.quene_size is not a setting')
    assert second.startswith('train_cfg.max_epochs=0')


def test_what_parts_refuse_is_told_at_once_and_once_each(complaint, write_config):
    config = write_config({
        'model.momentum': 2,
        'model.head.temperature': 0,
        f'{LEVELS}.0.0.prob': 2,
    })  # fmt: skip
    told = complaint('train', config).splitlines()
    assert len(told) == 3
    for part in ('model.head: temperature=0', 'model: momentum=2', f'{LEVELS}.0.0: '):
        assert sum(part in line for line in told) == 1


def test_a_wrong_config_makes_no_folder(complaint, write_config, tmp_path):
    complaint('train', write_config({'model.quene_size': 8}))
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('path', PRETRAININGS, ids=[path.stem for path in PRETRAININGS])
def test_our_configs_pass(path, monkeypatch, request):
    monkeypatch.setenv('HICLR_DATA', 'data')
    if path.stem in ('hiclr_ctrgcn_ntu60', 'hiclr_msg3d_ntu60'):
        request.getfixturevalue('projects_dir')
    encoder = read_config(path).model.backbone.type
    for protocol in ('', *PROTOCOLS):
        name = f'{path.stem}_{protocol}'.rstrip('_')
        cfg = read_config(path.with_stem(name))
        assert cfg.filename.endswith(f'{name}.py')
        assert cfg.model.backbone.type == encoder
        if cfg.get('sets'):
            fill_from_file(cfg)  # reads none: the config says all
        if cfg.layout is None:  # the file would say it
            merge_options(cfg, dict(layout='openni15', num_person=1, num_classes=5))
        if cfg.model.get('queue_size', 0) is None:
            cfg.model.queue_size = 64
        if cfg.train_cfg.max_epochs is None:
            cfg.train_cfg.max_epochs = 9
        check_config(cfg)


TEXTS = {
    'no Python': ('model = dict(', 'cannot be read: SyntaxError'),
    'a base that is not there': (
        "_base_ = ['nowhere.py']",
        'cannot be read: FileNotFoundError',
    ),
    'a base that was moved': (
        "_base_ = ['hiclr_stgcn_msr.py']",
        'did you mean',
    ),
    'a module that is not there': (
        "custom_imports = dict(imports=['nowhere'], allow_failed_imports=False)",
        "cannot be read: ModuleNotFoundError: No module named 'nowhere'",
    ),
    'nothing to train': ("default_scope = 'mmaction'", 'model is missing'),
}


@pytest.mark.parametrize('name', TEXTS)
def test_text_of_a_config(name, complaint, tmp_path):
    text, message = TEXTS[name]
    path = tmp_path / 'config.py'
    path.write_text(text)
    assert message in complaint('train', path)


OPTIONS = {
    'a section that is not there': (
        ['--cfg-options', 'max_epochs=3'],
        '--cfg-options max_epochs: there is no max_epochs in the config; did you mean '
        'train_cfg.max_epochs?',
    ),
    'a place that is not there': (
        ['--cfg-options', f'{PIPELINE}.9.layout=coco'],
        f'--cfg-options {PIPELINE}.9.layout: the config has no such setting',
    ),
    'several sections that are not there': (
        ['--cfg-options', 'modle.queue_size=3', 'train_dataloder.batch_size=3'],
        'there is no modle in the config; did you mean model?\n'
        '--cfg-options train_dataloder.batch_size: there is no train_dataloder in the '
        'config; did you mean train_dataloader?',
    ),
    'sections that are numbers': (
        ['--cfg-options', 'model=5', 'train_cfg=3', 'val_evaluator=[5]'],
        'config.py: model=5: give a dict\ntrain_cfg=3: give a dict\n'
        'val_evaluator=[5]: give a dict or a list of dicts',
    ),
    'a backbone that is a number': (
        ['--cfg-options', 'model.backbone=5'],
        'model.backbone=5: give a dict',
    ),
    'an option that is unknown': (['--sed', '1'], 'unrecognized arguments: --sed 1'),
    'a seed of text': (['--seed', 'x'], "argument --seed: invalid int value: 'x'"),
    'a launcher that is unknown': (
        ['--launcher', 'ray'],
        "argument --launcher: invalid choice: 'ray'",
    ),
    'a launcher that did not launch': (
        ['--launcher', 'pytorch'],
        "launcher='pytorch', but the variable RANK is not set",
    ),
    'a checkpoint to resume that is not there': (
        ['--resume', 'nowhere.pth'],
        'checkpoint to resume from not found: nowhere.pth',
    ),
}


@pytest.mark.parametrize('name', OPTIONS)
def test_arguments_of_train(name, complaint, write_config, monkeypatch):
    options, message = OPTIONS[name]
    monkeypatch.delenv('RANK', raising=False)
    assert message in complaint('train', write_config({}), *options)


def test_sync_bn_needs_a_gpu(complaint, write_config, monkeypatch):
    if torch.cuda.is_available():
        pytest.skip('there is one')
    config = write_config({'sync_bn': 'torch'})
    message = complaint('train', config, '--launcher', 'pytorch')
    assert 'synchronised batch norm needs a GPU and none was found' in message
    config = write_config({'model.backbone.tcn_norm': dict(type='SyncBN')})
    assert "tcn_norm.type='SyncBN': synchronised" in complaint('train', config)


def clip(name='a', shape=(1, 8, 25, 3), **more):
    keypoint = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return dict(
        frame_dir=name, label=0, keypoint=keypoint, total_frames=shape[1], **more
    )


def poses(*clips, split=('a',)):
    return dict(split=dict(train=list(split)), annotations=list(clips))


class Armed:
    def __reduce__(self):
        return Path.touch, (Path('ran'),)


def with_nan():
    made = clip()
    made['keypoint'][0, 3] = np.nan
    return made


DATA = {
    'no file': (None, 'does not exist'),
    'a truncated file': (
        pickle.dumps(poses(clip()))[:200],
        'is truncated, damaged or no',
    ),
    'a file that runs code': (Armed(), 'is not read: it asks for'),
    'not a pose pickle': (dict(keypoint=[]), 'is not a pose pickle'),
    'another split': (
        dict(split=dict(xsub_train=['a']), annotations=[clip()]),
        "split='train' is not in",
    ),
    'an empty split': (poses(clip(), split=()), "split 'train' holds no clip"),
    'other joints': (
        poses(clip(shape=(1, 8, 20, 3))),
        "clip 'a' has 20 joints, but layout 'nturgb+d' has 25",
    ),
    'no person': (poses(clip(shape=(0, 8, 25, 3))), "clip 'a' has 0 persons"),
    'no depth': (
        poses(clip(shape=(1, 8, 25, 2))),
        "clip 'a' has 2 coordinates per joint",
    ),
    'too few axes': (poses(clip(shape=(8, 25, 3))), 'it should be (persons, frames'),
    'NaN': (poses(with_nan()), 'values that are NaN or infinite, the first in frame 3'),
}


@pytest.mark.parametrize('name', DATA)
def test_data(name, complaint, write_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, message = DATA[name]
    path = tmp_path / 'poses.pkl'
    if content is not None:
        path.write_bytes(
            content if isinstance(content, bytes) else pickle.dumps(content)
        )
    pipeline = synthetic_config(tmp_path).train_dataloader.dataset.pipeline
    dataset = dict(
        _delete_=True, type='SkeletonDataset', ann_file=str(path), split='train',
        layout='nturgb+d', pipeline=pipeline,
    )  # fmt: skip
    config = write_config({'train_dataloader.dataset': dataset})
    assert message in complaint('train', config)
    assert not (tmp_path / 'ran').exists()


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """A checkpoint of a run of one epoch."""
    from mmengine.runner import Runner

    cfg = synthetic_config(tmp_path_factory.mktemp('finished'))
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.update(interval=1, save_best=None)
    Runner.from_cfg(cfg).train()
    return Path(cfg.work_dir) / 'epoch_1.pth'


CHECKPOINTS = {
    'a truncated one': (
        lambda whole: whole.read_bytes()[:5000],
        'it is truncated, damaged or no PyTorch checkpoint',
    ),
    'an empty one': (lambda whole: b'', 'truncated, damaged or no PyTorch checkpoint'),
    'a text': (
        lambda whole: b'weights',
        'truncated, damaged or no PyTorch checkpoint (Unsupported operand',
    ),
    'one that runs code': (
        lambda whole: dict(state_dict=Armed()),
        'is refused: it holds code or objects other than tensors and plain values',
    ),
    'one without weights': (lambda whole: dict(epoch=3), 'holds no state dict'),
    'one of another model': (
        lambda whole: dict(state_dict={'backbone.conv.weight': torch.zeros(3)}),
        'does not fit the model (HiCLRSTGCN)',
    ),
}


@pytest.mark.parametrize('name', CHECKPOINTS)
def test_checkpoint(name, complaint, write_config, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, message = CHECKPOINTS[name]
    path = tmp_path / 'bad.pth'
    content = make(finished)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    config = write_config({})
    assert message in complaint('test', config, path)
    assert message in complaint('train', write_config({'load_from': str(path)}))
    assert not (tmp_path / 'ran').exists()


def test_checkpoint_of_another_width(complaint, write_config, finished):
    wider = {'model.backbone.out_channels': 32, 'model.neck.in_channels': 32}
    message = complaint('test', write_config(wider), finished)
    assert re.search(r'epoch_1.pth does not fit the model \(HiCLRSTGCN\)', message)


@pytest.mark.parametrize('protocol', ['linear', 'supervised'])
def test_fewer_classes_than_labels(protocol, complaint, tmp_path):
    few = dict(num_subjects=2, num_val_subjects=1, clips_per_action=1)
    message = complaint(
        'train',
        ROOT / f'configs/hiclr_stgcn_synthetic_{protocol}.py',
        '--work-dir',
        tmp_path / 'run',
        '--cfg-options',
        'model.cls_head.num_classes=3',
        'model.backbone.init_cfg=None',
        'train_dataloader.batch_size=4',
        *(f'train_dataloader.dataset.{name}={value}' for name, value in few.items()),
        *(f'val_dataloader.dataset.{name}={value}' for name, value in few.items()),
    )
    assert 'train_dataloader: clip' in message
    assert 'has the label 3, but model.cls_head.num_classes=3 has classes 0' in message


def test_a_run_is_not_overwritten(complaint, write_config, finished):
    message = complaint('train', write_config({}), '--work-dir', finished.parent)
    assert f'work_dir={finished.parent} holds the checkpoints of a run' in message
    assert 'epoch_1.pth is the newest' in message
    for remedy in ('--resume', '--work-dir'):
        assert remedy in message


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'model.head.temperature': 0.2},
            'model.head.temperature was 0.1 and is 0.2',
        ),
        (
            {'train_dataloader.dataset.split': 'val'},
            "train_dataloader.dataset.split was 'train' and is 'val'",
        ),
    ],
)
def test_another_experiment_is_not_resumed(
    changes, message, complaint, write_config, finished
):
    told = complaint('train', write_config(changes), '--resume', finished)
    assert message in told
    assert '--resume-changed' in told


def test_weights_alone_are_not_resumed(complaint, write_config, tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict={'a': torch.ones(1)}), path)
    told = complaint('train', write_config({}), '--resume', path)
    assert 'holds weights and no run that could be continued' in told


@pytest.mark.parametrize(
    ('changes', 'options'),
    [
        ({'train_cfg.max_epochs': 2, 'optim_wrapper.optimizer.lr': 0.01}, []),
        ({'model.head.temperature': 0.2}, ['--resume-changed']),
    ],
)
def test_what_may_change_in_a_resumed_run(
    changes, options, load_tool, write_config, finished
):
    train = load_tool('train')
    args = [str(write_config(changes)), '--resume', str(finished), *options]
    args = train.parse_args(args)
    cfg = Config.fromfile(args.config)
    train.merge_args(cfg, args)
    train.check_folder(cfg, args)


CONVERTERS = {
    'a folder that is not there': (
        ['data/own', 'nowhere', 'out.pkl', '--layout', 'kinect20'],
        'nowhere',
    ),
    'a layout that is unknown': (
        ['data/own', '.', 'out.pkl', '--layout', 'kinekt'],
        "layout='kinekt' is unknown",
    ),
    'a file to inspect that is not there': (['data/inspect', 'nowhere.pkl'], 'nowhere'),
    'a checkpoint to export that is not there': (
        ['checkpoint/export', 'nowhere.pth', 'out.pth'],
        'checkpoint not found: nowhere.pth',
    ),
    'a config that is not there': (['train', 'nowhere.py'], 'config not found'),
    'a checkpoint to test that is not there': (
        ['test', ROOT / 'configs' / 'hiclr_stgcn_synthetic.py', 'nowhere.pth'],
        'checkpoint not found: nowhere.pth',
    ),
    'scores into no pickle': (
        [
            'test',
            ROOT / 'configs' / 'hiclr_stgcn_synthetic.py',
            __file__,
            '--dump',
            'a',
        ],
        '--dump a: the name must end in .pkl',
    ),
}


@pytest.mark.parametrize('name', CONVERTERS)
def test_arguments_of_other_programs(name, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (program, *args), message = CONVERTERS[name]
    (tmp_path / 'clip.csv').write_text('frame,joint,x,y,z\n0,0,1,1,1\n')
    assert message in complaint(program, *args)
