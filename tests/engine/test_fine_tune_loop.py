"""Fine-tuning that starts from a classifier of the frozen encoder, in a real runner."""

import pytest
import torch
from helpers.configs import probe_config, save_pretrained
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import load_file, load_safely


@pytest.fixture(scope='module')
def pretrained(tmp_path_factory):
    return save_pretrained(tmp_path_factory.mktemp('pretrained') / 'pretrained.pth')


def build(tmp_path, pretrained, lr=1e-4, fraction=None, **options):
    """A run on 24 clips of three actions, augmented by noise."""
    options = {
        'train_cfg': dict(type='FineTuneLoop', max_epochs=2, num_views=3),
        'optim_wrapper.optimizer': dict(lr=lr, weight_decay=0),
        'model.cls_head.type': 'PooledGCNHead',
        'model.cls_head.pool': dict(time=2, joints=True, std=True),
        'model.cls_head.layout': 'nturgb+d',
        'default_hooks': dict(
            checkpoint=dict(
                type='ResumableCheckpointHook', interval=1, max_keep_ckpts=-1
            )
        ),
        **options,
    }
    cfg = probe_config(tmp_path, pretrained, **options)
    loader = cfg.train_dataloader
    loader.dataset.pipeline.insert(1, dict(type='SkeletonNoise'))
    if fraction is not None:
        loader.dataset = dict(
            type='LabelledFraction',
            dataset=loader.dataset,
            fraction=fraction,
            keep_length=True,
        )
    return Runner.from_cfg(cfg)


class Start(Hook):
    """Keeps the classifier as it is before the first step, and its accuracy."""

    def before_train_epoch(self, runner):
        if runner.iter == 0:
            self.weight = runner.model.cls_head.fc.weight.clone()
            self.accuracy = runner.val_loop.run()['acc/top1']


def started(runner):
    start = Start()
    runner.register_hook(start)
    runner.train()
    return start


def test_classifier_starts_better_than_chance(tmp_path, pretrained):
    runner = build(tmp_path, pretrained, lr=0.0)
    start = started(runner)
    assert start.accuracy > 0.5
    # Nothing was changed with a rate of 0.
    assert torch.equal(start.weight, runner.model.cls_head.fc.weight)


def test_clips_without_labels_whiten(tmp_path, pretrained, caplog):
    runner = build(tmp_path, pretrained, fraction=0.25)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    said = '6 labelled clips, their features whitened by 3 views of 24 clips'
    assert caplog.text.count(said) == 1


def test_labelled_clips_come_first_where_there_are_too_many(
    tmp_path, pretrained, caplog
):
    runner = build(tmp_path, pretrained, fraction=0.25, **{'train_cfg.max_clips': 8})
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert '6 labelled clips, their features whitened by 3 views of 8' in caplog.text


def with_statistics_of(pretrained, tmp_path, num_batches):
    """The pre-trained weights after that many batches."""
    content = load_file(pretrained)
    for name, value in content['state_dict'].items():
        if name.endswith('num_batches_tracked'):
            value.fill_(num_batches)
    torch.save(content, tmp_path / 'weights.pth')
    return tmp_path / 'weights.pth'


def test_encoder_trains_but_keeps_its_statistics(tmp_path, pretrained):
    runner = build(tmp_path, with_statistics_of(pretrained, tmp_path, 100))
    runner.train()
    before = load_file(pretrained)['state_dict']
    after = {f'backbone.{k}': v for k, v in runner.model.backbone.state_dict().items()}
    statistics = [k for k in after if 'running' in k]
    assert len(statistics) > 10
    assert all(torch.equal(after[k], before[k]) for k in statistics)
    name = 'backbone.data_bn.weight'
    assert not torch.equal(after[name], before[name])


def test_statistics_that_have_not_settled_become_those_of_all_clips(
    tmp_path, pretrained
):
    weights = with_statistics_of(pretrained, tmp_path, 6)
    runner = build(tmp_path, weights, fraction=0.25)
    runner.train()
    # The first has one for each joint and coordinate of the clips.
    dataset = runner.train_dataloader.dataset.dataset.dataset
    joints = torch.stack([clip['inputs'] for clip in dataset]).flatten(0, 3)
    torch.testing.assert_close(
        runner.model.backbone.data_bn.running_mean,
        joints.mean(0).flatten(),
        rtol=0,
        atol=0.05,
    )


def test_resumed_run_does_not_start_anew(tmp_path, pretrained):
    unbroken = build(tmp_path / 'a', pretrained)
    unbroken.train()
    resumed = build(tmp_path / 'b', pretrained)
    resumed._resume, resumed._load_from = True, str(tmp_path / 'a' / 'epoch_1.pth')
    with load_safely():
        resumed.train()
    for name, value in unbroken.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name


def test_clips_without_augmentation_start_it_too(tmp_path, pretrained):
    runner = build(tmp_path, pretrained)
    del runner._train_dataloader['dataset']['pipeline'][1]
    assert started(runner).accuracy > 0.4


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'train_cfg.num_views': 1}, 'train_cfg.num_views=1: give a whole number, 2'),
        ({'train_cfg.max_clips': '9'}, "train_cfg.max_clips='9'"),
        ({'model.backbone.init_cfg': None}, 'no pre-trained weights are named'),
        ({'model.cls_head': None}, 'FineTuneLoop: .*cls_head.type=GCNHead'),
    ],
)
def test_wrong_settings(tmp_path, pretrained, options, message):
    runner = build(tmp_path, pretrained, **options)
    with pytest.raises(ValueError, match=message):
        runner.train()
