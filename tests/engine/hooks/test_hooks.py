"""The hooks, in a real runner on the synthetic set."""

import copy
import logging
import pickle

import pytest
import torch
from helpers.configs import synthetic_config
from mmengine.runner import Runner

from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.engine import (
    CollapseWarningHook,
    NeighborMiningHook,
    PretrainCheckHook,
)


class Records(logging.Handler):
    """Keeps the messages of a run's logger."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append((record.levelname, record.getMessage()))


def run(tmp_path, **options):
    """Train and return the runner with what it logged."""
    runner = Runner.from_cfg(synthetic_config(tmp_path, **options))
    records = Records()
    runner.logger.addHandler(records)
    runner.train()
    runner.logger.removeHandler(records)
    return runner, records.messages


def warnings(messages):
    return [text for level, text in messages if level == 'WARNING']


class TestNeighborMining:
    def test_turns_on_after_its_epochs(self, tmp_path):
        runner, messages = run(
            tmp_path,
            **{
                'train_cfg.max_epochs': 3,
                'model.mining': dict(topk=1),
                'custom_hooks': [dict(type='NeighborMiningHook', begin=2)],
            },
        )
        assert runner.model.mining_active
        said = [text for _, text in messages if 'Neighbour mining' in text]
        assert said == ['Neighbour mining is on from epoch 3.']

    def test_stays_off_before(self, tmp_path):
        runner, _ = run(
            tmp_path,
            **{
                'model.mining': dict(topk=1),
                'custom_hooks': [dict(type='NeighborMiningHook', begin=1)],
            },
        )
        assert not runner.model.mining_active

    def test_begin_may_be_the_models(self, tmp_path):
        runner, messages = run(
            tmp_path,
            **{
                'train_cfg.max_epochs': 2,
                'model.mining': dict(topk=1, begin=1),
                'custom_hooks': [],
            },
        )
        assert runner.model.mining_active
        assert 'Neighbour mining is on from epoch 2.' in [t for _, t in messages]

    def test_without_any_begin_is_an_error_at_the_start(self, tmp_path):
        options = {'model.mining': dict(topk=1), 'custom_hooks': []}
        with pytest.raises(ValueError, match='mining has no begin'):
            run(tmp_path, **options)

    def test_a_model_without_mining_is_an_error_at_the_start(self, tmp_path):
        options = {'custom_hooks': [dict(type='NeighborMiningHook')]}
        with pytest.raises(ValueError, match='the model has no mining'):
            run(tmp_path, **options)

    def test_negative_epoch_is_an_error(self):
        with pytest.raises(ValueError, match='begin=-1 is negative'):
            NeighborMiningHook(-1)


class TestPretrainCheck:
    @pytest.mark.parametrize(
        ('options', 'message'),
        [
            (
                {'train_dataloader.batch_size': 64},
                'batch_size=64 on 1 process.* needs 64 clips a step, but .* has 24',
            ),
            ({'model.queue_size': 5}, 'queue_size=5 is smaller than the batch of 8'),
            (
                {'model.head.level_weights': (1.0, 0.5)},
                'weighs 2 query levels, but the views have 3',
            ),
            (
                {'model.graph_augment': dict(levels=(3,))},
                'graph_augment.levels names level 3, but the views have levels 0 to 2',
            ),
            (
                {'model.data_preprocessor.ada_in': dict(levels=(-4,))},
                'ada_in.levels names level -4',
            ),
            (
                {'model.data_preprocessor.layout': 'kinect20'},
                'data_preprocessor.layout has 20 joints, but the clips have 25',
            ),
            (
                {'model.backbone.graph_cfg.layout': 'coco'},
                'backbone.graph_cfg.layout has 17 joints, but the clips have 25',
            ),
        ],
    )
    def test_contradiction_is_found_before_the_first_iteration(
        self, tmp_path, options, message
    ):
        with pytest.raises(ValueError, match=message):
            PretrainCheckHook().check(
                Runner.from_cfg(synthetic_config(tmp_path, **options))
            )

    def test_a_k_nn_needs_labels(self, tmp_path):
        content = pose_annotations(
            actions=['wave'], num_subjects=2, num_val_subjects=1, clips_per_action=1
        )
        content['annotations'][-1]['label'] = -1  # the only one of the second split
        path = tmp_path / 'poses.pkl'
        path.write_bytes(pickle.dumps(content))
        cfg = synthetic_config(tmp_path)
        cfg.val_dataloader.dataset.datasets = [
            dict(type='SkeletonDataset', ann_file=str(path), split=split, pipeline=p)
            for split in content['split']
            for p in [cfg.val_dataloader.dataset.datasets[0].pipeline]
        ]
        with pytest.raises(ValueError, match=r"split 'val': no clip has a label"):
            PretrainCheckHook().check(Runner.from_cfg(cfg))

    def test_changes_neither_the_model_nor_the_draws_of_the_run(self, tmp_path):
        runner = Runner.from_cfg(synthetic_config(tmp_path))
        before = torch.get_rng_state()
        state = copy.deepcopy(runner.model.state_dict())
        PretrainCheckHook().check(runner)
        assert torch.equal(torch.get_rng_state(), before)
        for name, value in runner.model.state_dict().items():
            assert torch.equal(value, state[name]), name

    def test_model_without_views_is_named(self, tmp_path):
        cfg = synthetic_config(tmp_path)
        cfg.model.data_preprocessor.views = None
        with pytest.raises(ValueError, match='nothing makes views'):
            PretrainCheckHook().check(Runner.from_cfg(cfg))

    def test_views_of_a_pipeline_are_checked_too(self, tmp_path):
        cfg = synthetic_config(tmp_path)
        views = cfg.model.data_preprocessor.pop('views')
        growing = dict(type='GrowingAugmentation', levels=views.levels[:2])
        cfg.train_dataloader.dataset.pipeline.insert(1, growing)
        with pytest.raises(ValueError, match='weighs 3 query levels'):
            PretrainCheckHook().check(Runner.from_cfg(cfg))
        cfg.model.head.level_weights = (1.0, 0.5)
        PretrainCheckHook().check(Runner.from_cfg(cfg))

    def test_is_made_before_training(self, tmp_path):
        runner = Runner.from_cfg(synthetic_config(tmp_path, **{'model.queue_size': 5}))
        with pytest.raises(ValueError, match='queue_size=5 is smaller'):
            runner.train()
        assert runner.iter == 0

    def test_views_are_found_in_a_wrapped_data_set(self, tmp_path):
        cfg = synthetic_config(tmp_path, **{'model.head.level_weights': (1.0,)})
        inner = cfg.train_dataloader.dataset
        cfg.train_dataloader.dataset = dict(
            type='RepeatDataset', times=2, dataset=inner
        )
        with pytest.raises(ValueError, match='weighs 1 query levels'):
            Runner.from_cfg(cfg).train()

    def test_queue_longer_than_the_training_set_is_warned_of(self, tmp_path):
        _, messages = run(tmp_path, **{'model.queue_size': 100})
        assert any(
            'queue_size=100 is more than the 24 clips' in w for w in warnings(messages)
        )

    def test_validation_on_another_protocol_is_warned_of(self, tmp_path):
        cfg = synthetic_config(tmp_path)
        bank, queries = cfg.val_dataloader.dataset.datasets
        bank.split = queries.split  # no set of the validation is the training set's
        runner = Runner.from_cfg(cfg)
        records = Records()
        runner.logger.addHandler(records)
        PretrainCheckHook().check(runner)
        said = warnings(records.messages)
        assert any("is on ['train'], validation on ['val']" in w for w in said)

    def test_other_models_are_an_error(self, tmp_path):
        cfg = synthetic_config(tmp_path)
        runner = Runner.from_cfg(cfg)
        runner.model = torch.nn.Linear(2, 2)
        with pytest.raises(ValueError, match='the model is Linear, not a Skel'):
            PretrainCheckHook().before_train(runner)


class TestCollapseWarning:
    def options(self, **hook):
        return {
            'custom_hooks': [
                dict(type='CollapseWarningHook', begin=1, interval=1, **hook)
            ]
        }

    def test_collapse_is_warned_of_in_words_once_an_epoch(self, tmp_path):
        options = dict(self.options(threshold=2.0), **{'train_cfg.max_epochs': 2})
        _, messages = run(tmp_path, **options)
        said = [w for w in warnings(messages) if 'have collapsed' in w]
        assert len(said) == 2
        assert 'feature_spread=' in said[0]
        assert 'lower learning rate' in said[0]

    def test_spread_features_are_not(self, tmp_path):
        _, messages = run(tmp_path, **self.options(threshold=0.0))
        assert not [w for w in warnings(messages) if 'collapsed' in w]

    def test_a_model_without_the_monitor_is_said_to_be_unwatched(self, tmp_path):
        runner = Runner.from_cfg(synthetic_config(tmp_path))
        records = Records()
        runner.logger.addHandler(records)
        hook = CollapseWarningHook(begin=1, interval=1)
        for i in range(2):
            hook.after_train_iter(runner, i, outputs=dict(loss=torch.ones(())))
        assert warnings(records.messages) == [
            'CollapseWarningHook is idle: the losses of HiCLR have no feature_spread.'
        ]

    def test_a_real_collapse_is_caught_by_the_default_threshold(self, tmp_path):
        runner = Runner.from_cfg(synthetic_config(tmp_path, **self.options()))
        records = Records()
        runner.logger.addHandler(records)
        runner.model.init_weights()
        runner.model.neck.mlp[2].weight.data.zero_()  # every clip gets the bias
        runner.model.neck.mlp[2].bias.data.fill_(1)
        runner.train()
        assert [w for w in warnings(records.messages) if 'have collapsed' in w]


class TestKNNProgress:
    def test_compares_the_last_epoch_with_the_untrained_encoder(self, tmp_path):
        _, messages = run(tmp_path, **{'custom_hooks': [dict(type='KNNProgressHook')]})
        texts = [text for _, text in messages]
        first = [t for t in texts if t.startswith('Before training')]
        last = [t for t in texts if 'after the last epoch (1)' in t]
        assert len(first) == len(last) == 1
        before = float(first[0].split('knn/k1 ')[1].split(',')[0])
        assert f'before training {100 * before:.1f} %' in last[0]

    def test_is_silent_without_validation(self, tmp_path):
        cfg = synthetic_config(
            tmp_path, **{'custom_hooks': [dict(type='KNNProgressHook')]}
        )
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint.pop('save_best', None)
        Runner.from_cfg(cfg).train()


def test_draws_of_each_set_are_those_of_the_sampler(tmp_path):
    cfg = synthetic_config(tmp_path)
    one = cfg.train_dataloader.dataset
    few = dict(one, indices=4)
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[one, few])
    cfg.train_dataloader.sampler = dict(type='BalancedSampler', power=0.0)
    cfg.custom_hooks = [dict(type='SetStatisticsHook')]
    runner = Runner.from_cfg(cfg)
    records = Records()
    runner.logger.addHandler(records)
    runner.call_hook('before_train')
    runner.logger.removeHandler(records)
    drawn = [text for _, text in records.messages if 'drawn' in text]
    assert ['drawn 14 of 28' in text for text in drawn] == [True, True]
