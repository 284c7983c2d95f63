"""A config's labelled clips and their features."""

import pickle

import numpy as np
import pytest
import torch
from helpers.configs import synthetic_config

from hiclr_mmaction.apis import (
    build_dataset,
    check_labels,
    class_names,
    dataset_features,
    extract_features,
    featureless_clips,
    init_encoder,
    nearest_clips,
)
from hiclr_mmaction.datasets.synthetic import pose_annotations


@pytest.fixture
def cfg(tmp_path):
    return synthetic_config(tmp_path)


def test_parts_are_the_bank_and_the_clips_that_are_evaluated(cfg):
    train, val = build_dataset(cfg, 'train'), build_dataset(cfg, 'val')
    assert (len(train), len(val)) == (24, 12)
    assert isinstance(train[0]['inputs'], torch.Tensor)  # a clip, not views
    assert class_names(val) == ('wave', 'squat', 'push')


def test_without_a_bank_the_training_set_is_prepared_as_in_tests(cfg):
    cfg.test_dataloader.dataset = cfg.test_dataloader.dataset.datasets[-1]
    train = build_dataset(cfg, 'train')
    assert len(train) == 24
    assert isinstance(train[0]['inputs'], torch.Tensor)


def test_features_are_those_of_the_raw_clips(cfg):
    encoder = init_encoder(cfg)
    dataset = build_dataset(cfg, 'val')
    found = dataset_features(encoder, dataset, batch_size=5)
    clips = [dataset.get_data_info(i)['keypoint'] for i in range(len(dataset))]
    np.testing.assert_allclose(
        found.features, extract_features(encoder, clips), atol=1e-5
    )
    assert found.labels.tolist() == [
        dataset.get_data_info(i)['label'] for i in range(12)
    ]
    assert found.names[0] == dataset.get_data_info(0)['frame_dir']
    some = dataset_features(encoder, dataset, max_clips=4, seed=1)
    assert len(some.features) == 4
    np.testing.assert_allclose(some.features, found.features[some.indices], atol=1e-5)


def test_views_differ_from_the_clip_and_are_drawn_by_the_seed(cfg):
    encoder, dataset = init_encoder(cfg), build_dataset(cfg, 'val')
    found, again, other = (
        dataset_features(encoder, dataset, num_views=3, seed=seed) for seed in (0, 0, 1)
    )
    (views,), (others,), (layer,) = found.views, other.views, found.layers
    assert views.shape == (12, 3, found.features.shape[1])
    np.testing.assert_array_equal(views, again.views[0])
    assert not np.allclose(views, others)
    # A view is nearer to its own clip than to the others, on average.
    distances = np.linalg.norm(views - layer[:, None], axis=-1)
    others = np.linalg.norm(views[:, None] - layer[None, :, None], axis=-1)
    assert 0 < distances.mean() < others.mean()
    assert dataset_features(encoder, dataset).views[0].shape[1] == 0


def test_nearest_clips_are_by_cosine_and_come_in_order():
    bank = np.array([[0, 1.0], [5, 5], [-1, 0]])
    distances, rows = nearest_clips(np.array([[2.0, 2.1]]), bank, k=2)
    assert rows.tolist() == [[1, 0]]
    assert distances[0, 1] == pytest.approx(1 - 2.1 / np.hypot(2, 2.1))
    assert nearest_clips(bank, bank, k=9)[1].shape == (3, 3)
    with pytest.raises(ValueError, match='k=0'):
        nearest_clips(bank, bank, k=0)


def test_names_of_classes_may_be_in_the_file(cfg, tmp_path):
    content = pose_annotations(
        actions=['wave'], num_subjects=2, num_val_subjects=1, clips_per_action=1
    )
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(dict(content, classes=['hello'])))
    val = cfg.test_dataloader.dataset.datasets[-1]
    cfg.test_dataloader.dataset = dict(
        type='SkeletonDataset', ann_file=str(path), split='val', pipeline=val.pipeline
    )
    assert list(class_names(build_dataset(cfg, 'val'))) == ['hello']


def test_a_part_that_is_not_there_is_named(cfg):
    with pytest.raises(ValueError, match="part='test' is unknown"):
        build_dataset(cfg, 'test')
    cfg.test_dataloader = cfg.val_dataloader = None
    with pytest.raises(ValueError, match="no data set for part='val'"):
        build_dataset(cfg, 'val')


def test_a_data_set_of_others_must_be_trusted(cfg):
    dataset = dict(type='PoseDataset', ann_file='poses.pkl', pipeline=[])
    cfg.test_dataloader = dict(dataset=dataset)
    with pytest.raises(ValueError, match='PoseDataset, .*may run code in poses.pkl'):
        build_dataset(cfg, trusted=False)


def own_labels(cfg, tmp_path, change):
    """Let the config read a pose pickle whose labels of training clips are changed."""
    content = pose_annotations(
        actions=['wave', 'squat'],
        num_subjects=3,
        num_val_subjects=1,
        clips_per_action=2,
    )
    train, val = content['split'].values()
    for i, clip in enumerate(content['annotations']):
        if clip['frame_dir'] in train:
            clip['label'] = change(i, clip['label'])
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(content))
    for part, split in zip(
        cfg.test_dataloader.dataset.datasets, content['split'], strict=True
    ):
        pipeline = part.pipeline
        part.clear()
        part.update(
            type='SkeletonDataset', ann_file=str(path), split=split, pipeline=pipeline
        )
    return content


def test_classifiers_learn_from_the_labelled_clips(cfg, tmp_path):
    content = own_labels(cfg, tmp_path, lambda i, label: label if i % 2 else -1)
    check_labels(cfg)
    train, _ = featureless_clips(cfg)
    given = {c['frame_dir']: c['label'] for c in content['annotations']}
    assert 0 < len(train.names) < len(build_dataset(cfg, 'train'))
    assert train.labels.tolist() == [given[name] for name in train.names]
    assert min(train.labels) == 0


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda i, label: None, "split 'train': 0 of 8 clips have a label, but"),
        (lambda i, label: 1, "split 'train': 8 of 8 clips .* all of them 1, but"),
    ],
)
def test_labels_that_cannot_be_learnt_are_told(cfg, tmp_path, change, message):
    own_labels(cfg, tmp_path, change)
    with pytest.raises(ValueError, match=message):
        check_labels(cfg)
