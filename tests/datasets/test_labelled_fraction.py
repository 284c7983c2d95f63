"""A fraction of the labelled clips: which ones, and that the choice never wavers."""

import json
import pickle
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.registry import DATASETS
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from hiclr_mmaction.converters import write_hiclr_arrays
from hiclr_mmaction.datasets import LabelledFraction

JOINTS = 25
PER_CLASS = {0: 40, 1: 25, 2: 3}


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """The same clips as a pose pickle and as the released projects' arrays."""
    folder = tmp_path_factory.mktemp('clips')
    rng = np.random.default_rng(0)
    labels = [label for label, count in PER_CLASS.items() for _ in range(count)]
    annotations = [
        dict(
            frame_dir=f'clip{i:03d}',
            label=label,
            total_frames=6,
            keypoint=rng.normal(size=(1, 6, JOINTS, 3)).astype(np.float32),
        )
        for i, label in enumerate(rng.permutation(labels).tolist())
    ]
    content = dict(
        split=dict(train=[a['frame_dir'] for a in annotations]), annotations=annotations
    )
    path = folder / 'clips.pkl'
    path.write_bytes(pickle.dumps(content))
    content['annotations'] = annotations[::-1]
    (folder / 'reversed.pkl').write_bytes(pickle.dumps(content))
    write_hiclr_arrays(path, folder, False)
    return folder


def pose_pickle(files, kind='SkeletonDataset', name='clips', **kwargs):
    return dict(
        type=kind, ann_file=str(files / f'{name}.pkl'), pipeline=[], split='train'
    )


def choose(dataset, fraction, **kwargs):
    return LabelledFraction(dataset, fraction, **{'seed': 0, **kwargs})


def names(dataset):
    return {clip['name'] for clip in dataset.clips}


def per_class(dataset):
    return Counter(clip['label'] for clip in dataset.clips)


def sources(files):
    align = dict(type='SkeletonAlign', layout='nturgb+d-stgcn')
    return dict(
        SkeletonDataset=pose_pickle(files),
        PoseDataset=pose_pickle(files, 'PoseDataset'),
        HiCLRNpyDataset=dict(
            type='HiCLRNpyDataset',
            data_file=str(files / 'train_position.npy'),
            pipeline=[align],
        ),
        SyntheticSkeletons=dict(
            type='SyntheticSkeletons',
            pipeline=[],
            actions=['wave', 'squat'],
            num_subjects=6,
            num_val_subjects=1,
            clips_per_action=4,
        ),
    )


@pytest.mark.parametrize(
    'kind', ['SkeletonDataset', 'PoseDataset', 'HiCLRNpyDataset', 'SyntheticSkeletons']
)
def test_takes_the_fraction_of_each_class_from_any_data_set(files, kind):
    source = sources(files)[kind]
    whole = DATASETS.build(source)
    labels = [whole.get_data_info(i)['label'] for i in range(len(whole))]
    part = DATASETS.build(
        dict(type='LabelledFraction', dataset=source, fraction=0.2, seed=1)
    )
    assert per_class(part) == {
        label: max(1, round(0.2 * count)) for label, count in Counter(labels).items()
    }
    assert len(part) == len(part.clips) < len(whole)
    for i, clip in enumerate(part.clips):
        assert (
            part[i]['frame_dir'] == part.get_data_info(i)['frame_dir'] == clip['name']
        )
        assert whole.get_data_info(clip['index'])['frame_dir'] == clip['name']
        assert part[i]['label'] == clip['label']


def test_every_class_keeps_a_clip(files):
    assert per_class(choose(pose_pickle(files), 0.001)) == {0: 1, 1: 1, 2: 1}


def test_all_of_it_is_the_whole_set_in_its_order(files):
    part = choose(pose_pickle(files), 1)
    assert [clip['index'] for clip in part.clips] == list(
        range(sum(PER_CLASS.values()))
    )


def test_smaller_fractions_lie_within_larger_ones(files):
    parts = [names(choose(pose_pickle(files), f)) for f in (0.01, 0.05, 0.1, 0.2, 1)]
    for smaller, larger in zip(parts, parts[1:], strict=False):
        assert smaller <= larger
    assert len(parts[0]) < len(parts[2]) < len(parts[3]) < len(parts[4])


def test_seeds_choose_differently_and_each_always_alike(files):
    first, again, other = (
        names(choose(pose_pickle(files), 0.2, seed=seed)) for seed in (0, 0, 1)
    )
    assert first == again != other


def test_choice_depends_on_names_and_not_on_the_file(files):
    """Arrays and pickle of the same clips, in any order, give the same choice."""
    expected = names(choose(pose_pickle(files), 0.2))
    assert names(choose(pose_pickle(files, name='reversed'), 0.2)) == expected
    assert names(choose(sources(files)['HiCLRNpyDataset'], 0.2)) == expected


def test_choice_is_that_of_another_process(files):
    program = (
        'from hiclr_mmaction.datasets import LabelledFraction\n'
        'from mmengine.registry import init_default_scope\n'
        'import json, numpy, random\n'
        'init_default_scope("mmaction"); random.seed(5); numpy.random.seed(5)\n'
        f'part = LabelledFraction({pose_pickle(files)!r}, 0.2, 0)\n'
        'print(json.dumps(part.clips))\n'
    )
    out = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True
    )
    clips = json.loads(out.stdout.splitlines()[-1])
    assert clips == choose(pose_pickle(files), 0.2).clips


def test_keeps_the_length_of_the_whole_set_by_going_round(files):
    part = choose(pose_pickle(files), 0.1, keep_length=True)
    assert len(part) == sum(PER_CLASS.values())
    seen = Counter(part[i]['frame_dir'] for i in range(len(part)))
    assert set(seen) == names(part)
    assert max(seen.values()) - min(seen.values()) <= 1
    with pytest.raises(IndexError, match='no clip 68'):
        part[len(part)]


@pytest.mark.parametrize('fraction', [0, -0.1, 1.5, float('nan')])
def test_fraction_out_of_range_is_refused_before_data_are_read(fraction):
    with pytest.raises(ValueError, match=rf'fraction={fraction} .*1 % as 0.01'):
        choose(dict(type='SkeletonDataset', ann_file='nowhere.pkl'), fraction)


def test_seed_is_that_of_the_run(files):
    parts = []
    for run_seed in (3, 3, 4):
        torch.manual_seed(run_seed)
        parts.append(names(choose(pose_pickle(files), 0.2, seed=None)))
    assert parts[0] == parts[1] == names(choose(pose_pickle(files), 0.2, seed=3))
    assert parts[1] != parts[2]


def test_clips_of_each_class_may_be_counted(files):
    part = choose(pose_pickle(files), None, clips_per_class=5)
    assert per_class(part) == {k: min(5, n) for k, n in PER_CLASS.items()}
    with pytest.raises(ValueError, match='clips_per_class=0 is not an integer of 1'):
        choose(pose_pickle(files), None, clips_per_class=0)


@pytest.mark.parametrize('count', [None, 2])
def test_fraction_and_number_exclude_each_other(files, count):
    with pytest.raises(ValueError, match=f'clips_per_class={count}; set one of them'):
        choose(pose_pickle(files), count and 0.1, clips_per_class=count)


def test_log_says_what_the_fraction_really_is(files, caplog):
    # A name of its own, for other tests' runs leave loggers that are less talkative.
    logger = MMLogger.get_instance('test_labelled_fraction', log_level='INFO')
    logger.addHandler(caplog.handler)
    choose(pose_pickle(files), 0.001, seed=7)
    logger.removeHandler(caplog.handler)
    assert (
        '3 of 68 clips (4.4%), 1 of each of 3 classes (fraction=0.001, seed 7)'
        in caplog.text
    )


@pytest.mark.parametrize('seed', [-1, 0.5])
def test_seed_out_of_range_is_refused(files, seed):
    with pytest.raises(ValueError, match=f'seed={seed}'):
        choose(pose_pickle(files), 0.5, seed=seed)


def test_clip_without_label_is_named(files, tmp_path):
    content = pickle.loads((files / 'clips.pkl').read_bytes())
    del content['annotations'][3]['label']
    (tmp_path / 'clips.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match="clip 'clip003' has no label"):
        choose(pose_pickle(tmp_path), 0.5)


class TestSavedChoice:
    """In a real run, on the tiny synthetic set."""

    def train(self, work_dir, fraction=0.5, seed=0, **options):
        cfg = synthetic_config(work_dir)
        cfg.update(options)
        cfg.train_dataloader.dataset = dict(
            type='LabelledFraction',
            dataset=cfg.train_dataloader.dataset,
            fraction=fraction,
            seed=seed,
        )
        # The checks of pre-training stay: they look for views inside of the wrapper.
        cfg.custom_hooks = [
            dict(type='PretrainCheckHook'),
            dict(type='LabelledClipsHook'),
        ]
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner

    def test_is_in_the_work_directory_and_lists_names_and_indices(self, tmp_path):
        runner = self.train(tmp_path)
        saved = json.loads((tmp_path / 'labelled_clips.json').read_text())
        part = runner.train_dataloader.dataset
        assert (saved['fraction'], saved['seed'], saved['num_whole']) == (0.5, 0, 24)
        assert saved['clips'] == part.clips
        assert len(saved['clips']) == len(part) == 12

    def test_is_not_overwritten_by_another_one(self, tmp_path):
        self.train(tmp_path)
        before = (tmp_path / 'labelled_clips.json').read_bytes()
        self.train(tmp_path)  # the same choice goes on
        for change in (dict(seed=1), dict(fraction=0.4)):
            with pytest.raises(ValueError, match='another choice .*--work-dir'):
                self.train(tmp_path, **change)
        assert (tmp_path / 'labelled_clips.json').read_bytes() == before

    def test_a_run_that_goes_on_keeps_the_choice_of_its_seed(self, tmp_path):
        runner = self.train(tmp_path, seed=None, randomness=dict(seed=5))
        clips = runner.train_dataloader.dataset.clips
        assert runner.train_dataloader.dataset.seed == 5
        again = self.train(
            tmp_path, seed=None, randomness=dict(seed=6), resume=True,
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2),
        )  # fmt: skip
        assert again.train_dataloader.dataset.clips == clips

    def test_needs_a_labelled_fraction(self, tmp_path):
        hooks = [dict(type='LabelledClipsHook')]
        runner = Runner.from_cfg(synthetic_config(tmp_path, custom_hooks=hooks))
        with pytest.raises(
            ValueError, match='SyntheticSkeletons, not LabelledFraction'
        ):
            runner.train()
