"""Features from arrays, against what the model itself predicts."""

import numpy as np
import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import default_collate

from hiclr_mmaction.apis import extract_features, init_encoder


@pytest.fixture
def cfg(tmp_path):
    return synthetic_config(tmp_path)


@pytest.fixture
def model(cfg):
    torch.manual_seed(3)
    model = MODELS.build(cfg.model)
    for module in model.modules():  # statistics that are not those of a fresh model
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1)
    return model.eval()


@pytest.fixture
def checkpoint(model, tmp_path):
    path = tmp_path / 'model.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return path


def raw_clips(num=5):
    rng = np.random.default_rng(0)
    return [
        rng.normal(0, 0.2, size=(1 + i % 2, 10 + 3 * i, 25, 3)).astype(np.float32)
        for i in range(num)
    ]


@pytest.mark.parametrize('stream', ['joint', 'bone'])
def test_features_are_the_models_own_predictions(cfg, model, checkpoint, stream):
    cfg.model.data_preprocessor.stream = stream
    model.data_preprocessor.stream = stream
    encoder = init_encoder(cfg, checkpoint)
    dataset = DATASETS.build(cfg.test_dataloader.dataset.datasets[-1])
    num = min(5, len(dataset))
    batch = default_collate([dataset[i] for i in range(num)])
    with torch.no_grad():
        expected = model.test_step(batch)
    clips = [dataset.get_data_info(i)['keypoint'] for i in range(num)]
    features = extract_features(encoder, clips, batch_size=2)
    assert features.dtype == np.float32
    assert features.shape == (num, 16)
    np.testing.assert_allclose(features, expected.numpy(), rtol=0, atol=1e-5)


def test_clips_of_any_length_in_any_batch_size_and_order(cfg, checkpoint):
    encoder = init_encoder(cfg, checkpoint)
    clips = raw_clips()
    features = extract_features(encoder, clips)
    alone = [extract_features(encoder, clip) for clip in clips]
    np.testing.assert_allclose(features, np.concatenate(alone), atol=1e-5)
    turned = extract_features(encoder, clips[::-1], batch_size=3)
    np.testing.assert_allclose(features, turned[::-1], atol=1e-5)
    assert np.abs(features[0] - features[1]).max() > 1e-4


def test_one_array_of_clips(cfg, checkpoint):
    encoder = init_encoder(cfg, checkpoint)
    clips = np.stack([raw_clips()[0]] * 3)
    assert extract_features(encoder, clips).shape == (3, 16)


def test_input_is_left_as_it_is(cfg, checkpoint):
    clip = raw_clips(1)[0]
    before = clip.copy()
    extract_features(init_encoder(cfg, checkpoint), clip)
    assert np.array_equal(clip, before)


def test_config_by_its_path_and_weights_by_chance(cfg, tmp_path):
    cfg.dump(str(tmp_path / 'cfg.py'))
    encoder = init_encoder(str(tmp_path / 'cfg.py'))
    assert not encoder.training
    assert extract_features(encoder, raw_clips(2)).shape == (2, 16)


def test_a_recognizer_of_mmaction2_with_its_own_pipeline(tmp_path):
    graph_cfg = dict(layout='nturgb+d', mode='stgcn_spatial')
    pipeline = [
        dict(type='PreNormalize3D'),
        dict(type='GenSkeFeat', dataset='nturgb+d', feats=['j']),
        dict(type='UniformSampleFrames', clip_len=8, num_clips=2, test_mode=True),
        dict(type='PoseDecode'),
        dict(type='FormatGCNInput', num_person=2),
        dict(type='PackActionInputs'),
    ]
    cfg = Config(
        dict(
            model=dict(
                type='RecognizerGCN',
                backbone=dict(type='STGCN', graph_cfg=graph_cfg, base_channels=4),
            ),
            test_dataloader=dict(dataset=dict(type='PoseDataset', pipeline=pipeline)),
        )
    )
    assert extract_features(init_encoder(cfg), raw_clips(3)).shape == (3, 16)


def test_a_checkpoint_alone_is_enough(cfg, model, tmp_path):
    path = tmp_path / 'run.pth'
    meta = dict(cfg=cfg.pretty_text)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    features = extract_features(init_encoder(path), raw_clips())
    expected = extract_features(init_encoder(cfg, path), raw_clips())
    np.testing.assert_array_equal(features, expected)


def test_clips_by_name_as_annotations_and_as_lists(cfg, checkpoint):
    encoder = init_encoder(cfg, checkpoint)
    clips = raw_clips(3)
    expected = extract_features(encoder, clips)
    named = extract_features(encoder, dict(zip('abc', clips, strict=True)))
    assert list(named) == ['a', 'b', 'c']
    np.testing.assert_array_equal(np.stack(list(named.values())), expected)
    annotations = [dict(keypoint=clip, label=1, frame_dir='x') for clip in clips]
    np.testing.assert_array_equal(extract_features(encoder, annotations), expected)
    np.testing.assert_array_equal(
        extract_features(encoder, [clip.tolist() for clip in clips]), expected
    )
    one = extract_features(encoder, annotations[0])
    np.testing.assert_allclose(one, expected[:1], atol=1e-6)


class TestErrors:
    @pytest.mark.parametrize(
        ('clips', 'message'),
        [
            ([], 'clips is empty'),
            (np.zeros((10, 25, 3)), r'float64 of shape \(25, 3\)'),
            ([np.zeros((1, 9, 25, 3)), np.zeros((9, 25, 3))], r'clips\[1\].* is'),
            ([np.ones((1, 9, 20, 3))], r'clips\[0\]'),
            ([np.full((1, 9, 25, 3), np.nan)], r'clips\[0\]'),
            ([np.full((1, 9, 25, 3), 1e30)], r'clips\[0\].*are above 1e\+09'),
            (
                [dict(frame_dir='S1', keypoint=np.ones((1, 9, 20, 3)))],
                "clip 'S1' has 20",
            ),
            (
                dict(kick=np.ones((1, 9, 20, 3))),
                r"clip 'kick' has 20.*with \(20 joints: kinect20",
            ),
            ([dict(label=1)], r"clip 'clips\[0\]' has no keypoint"),
            (dict(annotations=7), 'clips is not a pose pickle'),
            ([np.zeros((1, 0, 25, 3))], r'clips\[0\]'),
            ([np.array([[[['a']]]])], r'clips\[0\].* is <U1'),
        ],
    )
    def test_clips_that_cannot_be_used_are_named(self, cfg, clips, message):
        with pytest.raises(ValueError, match=message):
            extract_features(init_encoder(cfg), clips)

    def test_other_weights_name_the_first_keys(self, cfg, checkpoint):
        cfg.model.backbone.base_channels = 4
        with pytest.raises(ValueError, match=r'model.pth does not fit .*gcn.0.gcn'):
            init_encoder(cfg, checkpoint)

    def test_no_backbone_weights(self, cfg, tmp_path):
        torch.save({'fc.weight': torch.ones(1)}, tmp_path / 'a.pth')
        with pytest.raises(ValueError, match='no backbone weights'):
            init_encoder(cfg, tmp_path / 'a.pth')

    def test_no_pipeline_and_no_model(self, cfg):
        cfg.test_dataloader = cfg.val_dataloader = None
        with pytest.raises(ValueError, match='no test_dataloader.dataset.pipeline'):
            init_encoder(cfg)
        with pytest.raises(ValueError, match='no model.backbone'):
            init_encoder(Config(dict(model=dict(type='HiCLR'))))

    def test_a_checkpoint_that_does_not_tell_its_clips(self, checkpoint):
        with pytest.raises(ValueError, match='model.pth does not contain its model'):
            init_encoder(checkpoint)
        with pytest.raises(ValueError, match='model.pth is not a config'):
            init_encoder(checkpoint, checkpoint)

    def test_batch_size(self, cfg):
        with pytest.raises(ValueError, match='batch_size=0'):
            extract_features(init_encoder(cfg), raw_clips(1), batch_size=0)
