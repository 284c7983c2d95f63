"""Data settings at the top of a config reach all parts, by inheritance and by option."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.configs import config
from helpers.paths import ROOT
from mmaction.registry import MODELS

from hiclr_mmaction.cli.common import follow_training, load_config, merge_options
from hiclr_mmaction.cli.values import parse_options
from hiclr_mmaction.datasets import SkeletonDataset
from hiclr_mmaction.evaluation.data_settings import (
    fill_from_file,
    only_top1_of_few_classes,
)
from hiclr_mmaction.evaluation.protocol import read_config
from hiclr_mmaction.methods import HiCLR

CUSTOM = ROOT / 'configs' / 'hiclr' / 'hiclr_stgcn_own.py'
ROD = dict(
    joints=['foot', 'knee', 'head'], bones=[(1, 0), (2, 1)], center=1, name='rod'
)
MINE = dict(ann_file='mine.pkl', layout=ROD, num_person=2, num_classes=7)


@pytest.fixture
def child(tmp_path):
    """A config based on another one, with some settings at its top."""

    def write(base=CUSTOM, name='mine', **settings):
        if 'layout' in settings:  # MMEngine merges dicts
            settings['layout'] = dict(settings['layout'], _delete_=True)
        lines = [f'{key} = {value!r}' for key, value in settings.items()]
        path = tmp_path / f'{name}.py'
        path.write_text('\n'.join([f'_base_ = {str(base)!r}', *lines]))
        return path

    return write


def values(part, name):
    """All values of a name in a config."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == name:
                yield value
            elif name != 'layout' or key != 'base':
                yield from values(value, name)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from values(value, name)


def assert_mine(cfg):
    for name, value in MINE.items():
        found = list(values(cfg.to_dict(), name))
        assert found
        assert all(f == value for f in found), name
    assert cfg.model.backbone.graph_cfg.layout == ROD
    assert cfg.model.data_preprocessor.layout == ROD


@pytest.mark.parametrize('protocol', ['', '_linear', '_semi'])
def test_child_config_sets_them_for_all_parts(child, protocol):
    path = child(**MINE)
    assert_mine(read_config(path.with_stem(f'mine{protocol}')))
    assert_mine(load_config(str(path.with_stem(f'mine{protocol}'))))


def test_grandchild_has_the_last_word(child):
    first = child(name='first', **dict(MINE, ann_file='other.pkl', num_person=3))
    second = child(first, ann_file='mine.pkl', num_person=2)
    assert_mine(read_config(second))
    assert_mine(read_config(child(second, name='third')))


@pytest.mark.parametrize('name', ['hiclr_stgcn_own', 'hiclr_stgcn_own_finetune'])
def test_options_set_them_for_all_parts(name):
    cfg = read_config(CUSTOM.with_stem(name))
    merge_options(cfg, MINE)
    assert_mine(cfg)


def test_fraction_of_the_labels_is_one_option():
    cfg = read_config(CUSTOM.with_stem('hiclr_stgcn_own_semi'))
    merge_options(cfg, dict(fraction=0.2))
    assert cfg.train_dataloader.dataset.fraction == 0.2


@pytest.mark.parametrize(('classes', 'topk'), [(5, (1,)), (6, None)])
def test_no_top5_accuracy_of_five_classes(classes, topk):
    cfg = read_config(CUSTOM.with_stem('hiclr_stgcn_own_finetune'))
    merge_options(cfg, dict(num_classes=classes))
    only_top1_of_few_classes(cfg)
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        options = evaluator.get('metric_options', dict(top_k_accuracy=dict(topk=None)))
        assert options['top_k_accuracy']['topk'] == topk


def test_what_a_part_was_given_of_its_own_stays(child):
    cfg = read_config(child(ann_file='mine.pkl', test_dataloader=dict(
        dataset=dict(_delete_=True, type='SkeletonDataset', ann_file='test.pkl')
    )))  # fmt: skip
    assert cfg.test_dataloader.dataset.ann_file == 'test.pkl'
    assert cfg.train_dataloader.dataset.ann_file == 'mine.pkl'


@pytest.mark.parametrize('name', ['train_pipeline', 'levels', 'queue'])
def test_setting_without_effect_is_an_error(child, name):
    path = child(**{name: []})
    with pytest.raises(SystemExit, match=rf'mine.py: {name}=\[\] has no effect'):
        load_config(str(path))


def test_option_without_effect_is_an_error():
    cfg = read_config(ROOT / 'configs' / 'hiclr_stgcn_synthetic.py')
    for name in ('train_pipeline', 'ann_file'):
        cfg[name] = 'a'
        with pytest.raises(SystemExit, match=f'--cfg-options {name} has no effect'):
            merge_options(cfg, {name: 'b'})


def test_file_given_for_training_alone_is_followed():
    cfg = read_config(CUSTOM)
    options = {'train_dataloader.dataset.ann_file': 'mine.pkl'}
    merge_options(cfg, options)
    follow_training(cfg, options)
    sections = [
        cfg[f'{part}_dataloader'].to_dict() for part in ('train', 'val', 'test')
    ]
    assert set(values(sections, 'ann_file')) == {'mine.pkl'}


def write_clips(path, **head):
    """Four clips of three joints, two of them of two persons."""
    annotations = [
        dict(frame_dir=str(i), label=i, keypoint=np.ones((1 + i % 2, 9, 3, 3)))
        for i in range(4)
    ]
    path.write_bytes(pickle.dumps(dict(head, annotations=annotations)))


def test_what_is_not_set_is_what_the_file_says(child, tmp_path):
    path = child(ann_file=str(tmp_path / 'mine.pkl'))
    with pytest.raises(FileNotFoundError, match=r'mine\.pkl.* does not exist'):
        fill_from_file(read_config(path))
    write_clips(tmp_path / 'mine.pkl', layout=ROD)
    cfg = read_config(path.with_stem('mine_linear'))
    fill_from_file(cfg)
    assert cfg.model.backbone.graph_cfg.layout == ROD
    assert set(values(cfg.to_dict(), 'num_person')) == {2}
    assert cfg.model.cls_head.num_classes == 4
    write_clips(tmp_path / 'mine.pkl', layout=ROD, classes=[*'abcde'])
    cfg = read_config(child(ann_file=str(tmp_path / 'mine.pkl'), num_person=1))
    fill_from_file(cfg)
    assert (cfg.num_person, cfg.num_classes) == (1, 5)


def test_sizes_follow_from_the_number_of_training_clips(child, tmp_path):
    path = child(ann_file=str(tmp_path / 'mine.pkl'))
    names = [str(i) for i in range(300)]
    clip = dict(label=0, keypoint=np.ones((1, 9, 3, 3)))
    content = dict(
        layout=ROD,
        split=dict(xsub_train=names[:200], xsub_val=names[200:]),
        annotations=[dict(clip, frame_dir=name) for name in names],
    )
    (tmp_path / 'mine.pkl').write_bytes(pickle.dumps(content))
    cfg = read_config(path)
    fill_from_file(cfg)
    # Half of 200 clips in batches of 32; 40 sqrt(200) = 566 iterations, 6 an epoch.
    assert cfg.model.queue_size == 96
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval) == (95, 10)

    cfg = read_config(path)
    merge_options(cfg, {'model.queue_size': 64, 'train_cfg.max_epochs': 5})
    fill_from_file(cfg)
    assert (cfg.model.queue_size, cfg.train_cfg.max_epochs) == (64, 5)


def test_a_learner_of_another_project_has_sizes_of_its_own(child, tmp_path):
    class Memory(HiCLR):
        sizes_from_data = ('memory',)

        @classmethod
        def fill(cls, model, num_clips, batch_size):
            model['memory'] = 3 * num_clips

    write_clips(tmp_path / 'mine.pkl', layout=ROD)
    cfg = read_config(child(ann_file=str(tmp_path / 'mine.pkl')))
    options = {'type': 'Memory', 'memory': None, 'queue_size': 8}
    cfg.merge_from_dict({f'model.{k}': v for k, v in options.items()})
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    MODELS.register_module(module=Memory)
    try:
        fill_from_file(cfg)
    finally:
        MODELS.module_dict.pop('Memory')
    assert cfg.model.memory > 0
    assert cfg.model.memory % 3 == 0


def test_file_that_does_not_say_its_skeleton_is_an_error(child, tmp_path):
    write_clips(tmp_path / 'mine.pkl')
    cfg = read_config(child(ann_file=str(tmp_path / 'mine.pkl')))
    with pytest.raises(
        ValueError, match='mine.pkl does not say its skeleton: set layout'
    ):
        fill_from_file(cfg)


def test_a_size_that_no_file_gives_is_named():
    cfg = config('hiclr_stgcn_synthetic')
    cfg.model.queue_size = cfg.train_cfg.max_epochs = None
    message = 'train_cfg.max_epochs, model.queue_size=None.*give a number'
    with pytest.raises(ValueError, match=message):
        fill_from_file(cfg)


MANY = CUSTOM.with_stem('hiclr_stgcn_many')


class TestSets:
    """Configs of several sets, each a file and what it does not say."""

    @pytest.fixture
    def files(self, tmp_path):
        """Two files that say their layouts; 200 and 100 clips to train on."""
        out = []
        for name, layout, count in (('a', 'openni15', 200), ('b', 'azure_kinect', 100)):
            names = [str(i) for i in range(2 * count)]
            clip = dict(label=0, keypoint=np.ones((1, 9, 3, 3)))
            split = dict(xsub_train=names[:count], xsub_val=names[count:])
            annotations = [dict(clip, frame_dir=name) for name in names]
            content = dict(layout=layout, split=split, annotations=annotations)
            out.append(str(tmp_path / f'{name}.pkl'))
            Path(out[-1]).write_bytes(pickle.dumps(content))
        return out

    def assert_parts(self, parts, files, kinds):
        """Parts of both sets, mapped to the config's layout."""
        expected = [(f, f'xsub_{kind}') for f in files for kind in kinds]
        assert [(p.ann_file, p.split) for p in parts] == expected
        layouts = dict(zip(files, ('openni15', 'azure_kinect'), strict=True))
        for part in parts:
            mapping, align, pack = part.pipeline
            assert part.layout == mapping.source == layouts[part.ann_file]
            assert mapping.layout == align.layout == 'kinect20'
            assert pack.set_name == Path(part.ann_file).stem
            assert pack.knn_bank == part.split.endswith('train')

    def test_child_config_names_its_own(self, child, files):
        path = child(MANY, sets=files)
        cfg = load_config(str(path))
        fill_from_file(cfg)
        self.assert_parts(cfg.train_dataloader.dataset.datasets, files, ['train'])
        for loader in (cfg.val_dataloader, cfg.test_dataloader):
            self.assert_parts(loader.dataset.datasets, files, ['train', 'val'])
            assert all(part.test_mode for part in loader.dataset.datasets)

    def test_options_name_them_too(self, files):
        cfg = read_config(MANY)
        merge_options(cfg, parse_options([f'sets={",".join(files)}']))
        fill_from_file(cfg)
        self.assert_parts(cfg.train_dataloader.dataset.datasets, files, ['train'])

    def test_protocols_are_of_the_last(self, child, files):
        path = child(MANY, sets=files, num_classes=None)
        cfg = read_config(path.with_stem('mine_semi'))
        fill_from_file(cfg)
        train, val = cfg.train_dataloader.dataset.dataset, cfg.val_dataloader.dataset
        assert {train.ann_file, val.ann_file} == {files[1]}
        assert (train.split, val.split) == ('xsub_train', 'xsub_val')
        assert val.pipeline[0].source == 'azure_kinect'
        assert cfg.model.cls_head.num_classes == 1

    def test_sizes_follow_from_all_of_them(self, child, files):
        sizes = dict(max_epochs=None, val_interval=None)
        cfg = read_config(
            child(MANY, sets=files, train_cfg=sizes, model=dict(queue_size=None))
        )
        fill_from_file(cfg)
        # Half of 300 clips in batches of 32; 40 sqrt(300) = 693 iterations, 9 an epoch.
        assert (cfg.model.queue_size, cfg.train_cfg.max_epochs) == (128, 77)

    def test_layout_of_the_encoder_is_not_that_of_the_sets(self, child):
        cfg = read_config(child(MANY))
        merge_options(cfg, dict(layout='azure_kinect'))
        fill_from_file(cfg)
        first = cfg.train_dataloader.dataset.datasets[0]
        assert first.layout == first.pipeline[0].source == 'kinect20'
        assert first.pipeline[0].layout == first.pipeline[1].layout == 'azure_kinect'

    @pytest.mark.parametrize(
        ('sets', 'message'),
        [
            (['nowhere.pkl'], "ann_file='nowhere.pkl' does not exist .*in sets"),
            (
                [dict(file='a')],
                r"sets: \{'file': 'a'\} is neither a file nor a dict of",
            ),
            (['FILE', 'FILE'], 'sets: a, a are not different; give each a name'),
        ],
    )
    def test_what_cannot_be_used_names_the_setting(self, child, files, sets, message):
        sets = [files[0] if one == 'FILE' else one for one in sets]
        with pytest.raises((FileNotFoundError, ValueError), match=message):
            fill_from_file(read_config(child(MANY, sets=sets)))

    @pytest.mark.parametrize(
        ('head', 'message'),
        [
            (dict(split={}), 'a.pkl does not say its skeleton: .*layout='),
            (dict(layout='coco', split={}), 'a.pkl has 0 protocols .*split='),
        ],
    )
    def test_a_file_that_says_too_little(self, child, tmp_path, head, message):
        write_clips(tmp_path / 'a.pkl', **head)
        with pytest.raises(ValueError, match=message):
            fill_from_file(read_config(child(MANY, sets=[str(tmp_path / 'a.pkl')])))

    def test_a_missing_file_of_a_set_advises_sets(self):
        pack = dict(type='PackSkeletonViews', set_name='mine')
        with pytest.raises(FileNotFoundError, match='own files in sets of the config'):
            SkeletonDataset('nowhere.pkl', [pack])
        with pytest.raises(FileNotFoundError, match='set ann_file to where it is'):
            SkeletonDataset('nowhere.pkl', [])
