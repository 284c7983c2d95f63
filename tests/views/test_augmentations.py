"""The registered augmentations: draws, probability, pipeline and batch."""

import math

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS

from hiclr_mmaction.skeleton import augment, get_layout

ALL = [
    dict(type='SkeletonShear'),
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonMirror'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
    dict(type='SkeletonBlur'),
    dict(type='SkeletonChannelMask'),
    dict(type='SkeletonTimeFlip'),
    dict(type='SkeletonJointMask'),
    dict(type='SkeletonPartMask'),
]
IDS = [cfg['type'] for cfg in ALL]


def build(name, **kwargs):
    return TRANSFORMS.build(dict(type=name, **kwargs))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def changed(transform, x, seed=0):
    """Clips after a transform, masked joints at zero."""
    out = transform.change(x, *transform.sample(len(x), generator(seed)))
    return (
        x.masked_fill(out[:, None, :, :, None], 0) if out.dtype == torch.bool else out
    )


@pytest.fixture
def clips():
    x = torch.randn(6, 2, 30, 25, 3)
    x[:, 1] = 0  # an absent second person
    return x


@pytest.mark.parametrize('cfg', ALL, ids=IDS)
class TestEveryAugmentation:
    def test_works_on_one_sample_of_a_pipeline(self, cfg, clips):
        results = dict(keypoint=clips[0].numpy().astype(np.float16), label=3)
        out = TRANSFORMS.build(dict(cfg, prob=1))(results)
        assert out['keypoint'].dtype == np.float32
        assert out['keypoint'].shape == (2, 30, 25, 3)
        assert out['label'] == 3
        assert not np.array_equal(out['keypoint'], clips[0].numpy())

    def test_works_on_a_batch_and_leaves_it_as_it_is(self, cfg, clips):
        transform = TRANSFORMS.build(dict(cfg, prob=1))
        before = clips.clone()
        out = changed(transform, clips)
        assert torch.equal(clips, before)
        assert out.shape == clips.shape
        # One start in eleven of the temporal crop gives the clip as it was.
        assert (out != clips).flatten(1).any(1).sum() >= 4

    def test_absent_persons_stay_absent(self, cfg, clips):
        transform = TRANSFORMS.build(dict(cfg, prob=1))
        out = changed(transform, clips)
        assert (out[:, 1] == 0).all()

    def test_same_draws_give_the_same_clips(self, cfg, clips):
        transform = TRANSFORMS.build(cfg)
        draws = transform.draw(6, generator())
        again = transform.draw(6, generator())
        out = transform.apply(clips, **draws)
        assert torch.equal(out, transform.apply(clips, **draws))
        assert torch.equal(out, transform.apply(clips, **again))

    def test_a_draw_is_a_row_per_sample_or_one_seed(self, cfg):
        for value in TRANSFORMS.build(cfg).draw(6, generator()).values():
            assert isinstance(value, int) or len(value) == 6

    def test_probability_is_that_of_a_sample(self, cfg):
        x = torch.randn(400, 1, 12, 25, 3)
        transform = TRANSFORMS.build(dict(cfg, prob=0.3))
        out = changed(transform, x)
        rate = (out != x).flatten(1).any(1).float().mean()
        if cfg['type'] == 'SkeletonTemporalCrop':  # one start in five changes nothing
            rate = rate / 0.8
        assert abs(rate - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 400)

    def test_probability_0_changes_nothing(self, cfg, clips):
        transform = TRANSFORMS.build(dict(cfg, prob=0))
        assert torch.equal(changed(transform, clips), clips)

    def test_probability_must_be_one(self, cfg):
        with pytest.raises(ValueError, match='prob=1.5 is not a probability'):
            TRANSFORMS.build(dict(cfg, prob=1.5))

    def test_repr_shows_the_arguments(self, cfg):
        assert 'prob=0.25' in repr(TRANSFORMS.build(dict(cfg, prob=0.25)))


def test_default_probabilities_are_the_released_ones():
    probs = {name: build(name).prob for name in IDS}
    half = {
        'SkeletonMirror', 'SkeletonNoise', 'SkeletonBlur', 'SkeletonChannelMask',
        'SkeletonTimeFlip',
    }  # fmt: skip
    assert probs == {name: 0.5 if name in half else 1.0 for name in IDS}


def test_shear_draws_unit_diagonal_and_uniform_rest():
    matrix = build('SkeletonShear').draw(4000, generator())['matrix']
    diagonal = matrix.diagonal(dim1=1, dim2=2)
    rest = matrix[:, ~torch.eye(3, dtype=torch.bool)]
    assert (diagonal == 1).all()
    assert rest.min() < -0.49
    assert rest.max() > 0.49
    assert rest.abs().max() <= 0.5
    assert abs(rest.std() - 1 / math.sqrt(12)) < 0.01


def test_temporal_crop_draws_every_start_alike():
    x = torch.arange(50.0).reshape(1, 1, 50, 1, 1).expand(17000, -1, -1, -1, -1)
    transform = build('SkeletonTemporalCrop')
    out = changed(transform, x)
    # With 50 frames the padding is 8; the middle frame tells the start, 0 .. 16.
    start = (out[:, 0, 25, 0, 0] - 25 + 8).long()
    counts = torch.bincount(start, minlength=17)
    assert len(counts) == 17
    assert (counts - 1000).abs().max() < 5 * math.sqrt(1000)


def test_temporal_crop_leaves_a_clip_too_short_to_pad():
    x = torch.randn(2, 1, 5, 25, 3)
    transform = build('SkeletonTemporalCrop')
    assert torch.equal(changed(transform, x), x)


def test_rotation_has_one_main_axis_each_as_often():
    degrees = build('SkeletonRotate').draw(6000, generator())['degrees']
    assert degrees.min() >= 0
    assert degrees.max() <= 30
    large = degrees > 1
    assert (large.sum(1) <= 1).all()
    rate = large.float().mean(0)
    assert (rate - 29 / 30 / 3).abs().max() < 0.03


def test_noise_has_its_standard_deviation_and_differs_between_samples(clips):
    transform = build('SkeletonNoise', std=0.02, prob=1)
    added = changed(transform, clips) - clips
    assert abs(added[:, 0].std() - 0.02) < 1e-3
    assert not torch.allclose(added[0], added[1])


def test_released_noise_reaches_absent_persons(clips):
    transform = build('SkeletonNoise', absent=True, prob=1)
    out = changed(transform, clips)
    assert (out[:, 1] != 0).all()


def test_channel_mask_draws_each_axis_alike():
    axis = build('SkeletonChannelMask').draw(3000, generator())['axis']
    assert set(axis.tolist()) == {0, 1, 2}
    assert (torch.bincount(axis) - 1000).abs().max() < 150


def test_blur_draws_sigma_in_its_range_and_uses_its_options(clips):
    transform = build('SkeletonBlur', sigma=(0.5, 0.6), normalize=True, prob=1)
    draws = transform.draw(6, generator())
    assert 0.5 <= draws['sigma'].min() <= draws['sigma'].max() <= 0.6
    expected = augment.gaussian_blur(clips, draws['sigma'], normalize=True)
    assert torch.equal(transform.apply(clips, **draws), expected)


def test_joint_mask_is_one_for_all_persons_of_a_sample():
    x = torch.ones(4, 2, 10, 25, 3)
    transform = build('SkeletonJointMask', ratio=0.2)
    mask = transform.apply(x, **transform.draw(4, generator()))
    assert mask.shape == (4, 10, 25)
    assert (mask.sum(-1) == 5).all()
    assert len(torch.unique(mask.flatten(1), dim=0)) == 4
    masked = transform(dict(keypoint=x[0].numpy()))['keypoint'] == 0
    assert (masked.sum((2, 3)) == 5 * 3).all()
    assert np.array_equal(masked[0], masked[1])


@pytest.mark.parametrize(('frames', 'segments'), [(12, 3), (10, 4), (3, 5)])
def test_joint_mask_of_segments_is_the_same_within_each(frames, segments):
    x = torch.ones(4, 1, frames, 25, 3)
    transform = build('SkeletonJointMask', ratio=0.2, segments=segments)
    mask = transform.apply(x, **transform.draw(4, generator()))
    assert mask.shape == (4, frames, 25)
    assert (mask.sum(-1) == 5).all()
    changes = (mask[:, 1:] != mask[:, :-1]).any(-1)
    assert (changes.sum(1) == min(frames, segments) - 1).all()
    assert (changes == changes[0]).all()


def test_part_mask_takes_other_connected_joints_in_each_segment():
    x = torch.ones(4, 2, 10, 25, 3)
    transform = build('SkeletonPartMask', ratio=0.4, segments=5)
    mask = transform.apply(x, **transform.draw(4, generator()))
    assert mask.shape == (4, 10, 25)
    assert (mask.sum(-1) == 10).all()
    assert torch.equal(mask[:, ::2], mask[:, 1::2])
    assert len(torch.unique(mask[:, ::2].flatten(0, 1), dim=0)) > 10
    bones = torch.tensor(get_layout('nturgb+d').bones)
    # A part of a tree is connected if it has a bone less than joints.
    assert (mask[..., bones].all(-1).sum(-1) == 9).all()


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (dict(type='SkeletonMirror', layout='body'), "layout='body' is unknown"),
        (dict(type='SkeletonTemporalCrop', padding_ratio=0), 'padding_ratio=0'),
        (dict(type='SkeletonBlur', sigma=(0, 2)), r'sigma=\(0, 2\)'),
        (dict(type='SkeletonBlur', sigma=(1, float('inf'))), r'sigma=\(1, inf\)'),
        (dict(type='SkeletonBlur', kernel_size=4), 'kernel_size=4; give an odd'),
        (dict(type='SkeletonBlur', kernel_size=-3), 'kernel_size=-3; give an odd'),
        (dict(type='SkeletonShear', amplitude=-1), 'amplitude=-1'),
        (dict(type='SkeletonNoise', std=-1), 'std=-1'),
        (dict(type='SkeletonRotate', other_degrees=float('nan')), 'other_degrees=nan'),
        (dict(type='SkeletonJointMask', ratio=0), 'ratio=0 is out of range'),
        (dict(type='SkeletonPartMask', ratio=0), 'SkeletonPartMask: ratio=0 is out'),
        (dict(type='SkeletonJointMask', ratio=1), 'ratio=1 is out of range'),
        (dict(type='SkeletonJointMask', segments=0), 'segments=0; give a whole'),
        (dict(type='SkeletonPartMask', ratio=-1), 'SkeletonPartMask: ratio=-1 is out'),
    ],
)
def test_argument_out_of_range_is_named(cfg, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build(cfg)


# Of those that change coordinates; time flip, crop and mirror move whole joints.
COORDINATES = [
    dict(type='SkeletonShear'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
    dict(type='SkeletonBlur', sigma=(1, 2)),
    dict(type='SkeletonChannelMask'),
]


class Test2D:
    """Skeletons of two dimensions, (x, y, score)."""

    @pytest.fixture
    def clips(self):
        x = torch.randn(6, 2, 30, 17, 3)
        x[..., 2] = torch.rand(6, 2, 30, 17)
        x[:, 1] = 0
        return x

    @pytest.mark.parametrize(
        'cfg', COORDINATES, ids=[cfg['type'] for cfg in COORDINATES]
    )
    def test_x_and_y_change_and_the_score_does_not(self, cfg, clips):
        transform = TRANSFORMS.build(dict(cfg, prob=1, layout='coco'))
        out = changed(transform, clips)
        assert torch.equal(out[..., 2], clips[..., 2])
        assert (out[..., :2] != clips[..., :2])[:, 0].flatten(1).any(1).all()
        assert (out[:, 1] == 0).all()

    @pytest.mark.parametrize(
        'cfg', COORDINATES, ids=[cfg['type'] for cfg in COORDINATES]
    )
    def test_score_does_not_change_x_and_y(self, cfg, clips):
        transform = TRANSFORMS.build(dict(cfg, prob=1, layout='coco'))
        draws = transform.draw(6, generator())
        other = clips.clone()
        other[..., 2] *= 0.5
        torch.testing.assert_close(
            transform.apply(other, **draws)[..., :2],
            transform.apply(clips, **draws)[..., :2],
        )

    def test_shear_has_two_entries(self):
        matrix = build('SkeletonShear', layout='coco').draw(500, generator())['matrix']
        assert matrix.shape == (500, 2, 2)
        assert (matrix.diagonal(dim1=1, dim2=2) == 1).all()
        assert matrix[:, 0, 1].std() > 0.2

    def test_rotation_is_in_the_plane_and_keeps_lengths(self, clips):
        transform = build('SkeletonRotate', layout='coco')
        degrees = transform.draw(600, generator())['degrees']
        assert (degrees[:, :2] == 0).all()
        assert degrees[:, 2].min() < 1
        assert 29 < degrees[:, 2].max() <= 30
        out = transform.apply(clips, degrees=degrees[:6])
        torch.testing.assert_close(
            out[..., :2].norm(dim=-1), clips[..., :2].norm(dim=-1)
        )
        cos = (out[..., :2] * clips[..., :2]).sum(-1) / clips[..., :2].square().sum(-1)
        torch.testing.assert_close(
            cos[:, 0].mean((1, 2)), torch.deg2rad(degrees[:6, 2]).cos()
        )

    def test_channel_mask_takes_x_and_y_alike(self):
        transform = build('SkeletonChannelMask', layout='coco')
        axis = transform.draw(2000, generator())['axis']
        assert set(axis.tolist()) == {0, 1}
        assert (torch.bincount(axis) - 1000).abs().max() < 120

    def test_masked_joints_have_score_0(self, clips):
        transform = build('SkeletonJointMask', ratio=0.2)
        out = transform(dict(keypoint=clips[0].numpy()))['keypoint']
        masked = (out[0] == 0).all(-1)
        assert (masked.sum(-1) == 3).all()
        np.testing.assert_array_equal(out[0][~masked], clips[0, 0].numpy()[~masked])

    @pytest.mark.parametrize(
        'cfg', COORDINATES, ids=[cfg['type'] for cfg in COORDINATES]
    )
    def test_clip_aligned_as_another_kind_is_refused(self, cfg, clips):
        results = dict(keypoint=clips[0].numpy(), coordinates='2d')
        TRANSFORMS.build(dict(cfg, layout='coco'))(dict(results))
        with pytest.raises(ValueError, match="has '3d' coordinates, but SkeletonAl"):
            TRANSFORMS.build(cfg)(results)
