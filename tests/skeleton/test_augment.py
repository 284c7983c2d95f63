"""The augmentations against the released code's, and their behaviour in a batch."""

import math

import pytest
import torch
from helpers.references import load_reference

from hiclr_mmaction.skeleton import augment, get_layout


@pytest.fixture(scope='module')
def ref():
    return load_reference('augment')


def close(actual, expected):
    torch.testing.assert_close(actual.float(), expected, rtol=0, atol=1e-5)


NTU_MIRROR = get_layout('nturgb+d').mirror
# Name of the arrays, and the call on (clips, a function that gives a draw).
CASES = {
    'shear': lambda x, draw: augment.shear(x, draw('matrix')),
    'temporal_crop': lambda x, draw: augment.temporal_crop(
        x, draw('start'), int(draw('pad').reshape(-1)[0])
    ),
    'flip': lambda x, draw: augment.mirror(x, NTU_MIRROR),
    'rotate': lambda x, draw: augment.rotate(x, draw('degrees_xyz')),
    'blur': lambda x, draw: augment.gaussian_blur(x, draw('sigma')),
    'axis_mask': lambda x, draw: augment.channel_mask(x, draw('axis')),
    'time_flip': lambda x, draw: augment.time_flip(x),
}


@pytest.mark.parametrize('name', CASES)
class TestAgainstReleasedCode:
    def test_single_clip_with_unbatched_draws(self, ref, name):
        out = CASES[name](ref['input'], lambda draw: ref[f'{name}.{draw}'])
        close(out, ref[f'{name}.out'])

    def test_batch_with_unbatched_draws(self, ref, name):
        x = torch.stack([ref['input'], 2 * ref['input']])
        out = CASES[name](x, lambda draw: ref[f'{name}.{draw}'])
        close(out[0], ref[f'{name}.out'])
        close(out[1], 2 * ref[f'{name}.out'])  # all of these are linear

    def test_batch_with_a_draw_for_each_sample(self, ref, name):
        x = torch.stack([ref['input'], ref['input'].flip(-3)])
        out = CASES[name](x, lambda draw: torch.stack([ref[f'{name}.{draw}']] * 2))
        close(out[0], ref[f'{name}.out'])


@pytest.mark.parametrize('dims', ['TV', 'V'])
def test_ada_in_matches_released_code(ref, dims):
    out = augment.ada_in(ref['adain.content'], ref['adain.style'], dims)
    close(out, ref[f'adain.out_{dims}'])


def test_draws_of_a_batch_belong_to_their_sample():
    x = torch.randn(3, 2, 12, 25, 3)
    angles = torch.tensor([[10.0, 0, 0], [0, 20, 0], [0, 0, 30]])
    starts = torch.tensor([0, 2, 4])
    sigmas = torch.tensor([0.3, 1.0, 2.0])
    axes = torch.tensor([2, 0, 1])
    for batched, single in [
        (
            augment.rotate(x, angles),
            [augment.rotate(x[i], angles[i]) for i in range(3)],
        ),
        (
            augment.temporal_crop(x, starts, 2),
            [augment.temporal_crop(x[i], starts[i], 2) for i in range(3)],
        ),
        (
            augment.gaussian_blur(x, sigmas),
            [augment.gaussian_blur(x[i], sigmas[i]) for i in range(3)],
        ),
        (
            augment.channel_mask(x, axes),
            [augment.channel_mask(x[i], axes[i]) for i in range(3)],
        ),
    ]:
        close(batched, torch.stack(single))


def test_no_function_changes_its_input():
    x = torch.randn(2, 2, 12, 25, 3)
    before = x.clone()
    augment.shear(x, torch.eye(3) * 2)
    augment.temporal_crop(x, 1, 2)
    augment.mirror(x, NTU_MIRROR)
    augment.time_flip(x)
    augment.gaussian_blur(x, 1.0)
    augment.channel_mask(x, 1)
    augment.ada_in(x, x.flip(0), 'TV')
    assert torch.equal(x, before)


def test_mirror_twice_gives_the_clip_back():
    x = torch.randn(1, 1, 4, 25, 3)
    once = augment.mirror(x, NTU_MIRROR)
    assert not torch.equal(once, x)
    assert torch.equal(augment.mirror(once, NTU_MIRROR), x)


def test_rotation_keeps_lengths_and_handedness():
    matrix = augment.rotation_matrix(torch.tensor([[10.0, 20, 30], [5, 0, 0]]))
    eye = torch.eye(3, dtype=torch.float64).expand(2, 3, 3)
    torch.testing.assert_close(matrix @ matrix.mT, eye)
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(2).double())


def test_temporal_crop_repeats_the_edge_frame_and_stays_in_the_clip():
    x = torch.arange(6.0).reshape(1, 1, 6, 1, 1)
    first = augment.temporal_crop(x, 0, 2).flatten().tolist()
    last = augment.temporal_crop(x, 4, 2).flatten().tolist()
    middle = augment.temporal_crop(x, 2, 2).flatten().tolist()
    assert first == [1, 0, 0, 1, 2, 3]
    assert middle == [0, 1, 2, 3, 4, 5]
    assert last == [2, 3, 4, 5, 5, 4]


def test_normalised_blur_leaves_a_still_clip_alone():
    x = torch.ones(2, 1, 20, 25, 3)
    torch.testing.assert_close(augment.gaussian_blur(x, 2.0, normalize=True), x)
    assert augment.gaussian_blur(x, 2.0).max() > 2  # the released one amplifies


def test_blur_kernel_ends_after_its_taps():
    x = torch.zeros(1, 1, 41, 1, 1)
    x[0, 0, 20] = 1
    out = augment.gaussian_blur(x, 50.0, kernel_size=15).flatten()
    assert out.nonzero().flatten().tolist() == list(range(13, 28))


@pytest.mark.parametrize(
    ('joints', 'ratio', 'count'),
    [(25, 0.1, 2), (20, 0.1, 2), (100, 0.29, 29), (25, 0, 0)],
)
def test_joint_mask_masks_the_same_number_in_each_frame(joints, ratio, count):
    mask = augment.joint_mask(3, 10, joints, ratio)
    assert mask.dtype == torch.bool
    assert mask.shape == (3, 10, joints)
    assert (mask.sum(-1) == count).all()


def test_every_set_of_joints_is_chosen_alike():
    chosen = augment.joint_mask(20000, 1, 5, 0.6, torch.Generator().manual_seed(0))
    places = (chosen[:, 0] * torch.tensor([1, 2, 4, 8, 16])).sum(-1)
    counts = torch.bincount(places)
    counts = counts[counts > 0]
    assert len(counts) == 10  # three of five
    assert (counts - 2000).abs().max() < 5 * 2000**0.5


def test_joint_mask_differs_between_samples_and_frames_and_follows_its_generator():
    def draw():
        return augment.joint_mask(2, 30, 25, 0.1, torch.Generator().manual_seed(1))

    mask = draw()
    assert not torch.equal(mask[0], mask[1])
    assert not torch.equal(mask[0, 0], mask[0, 1]) or not torch.equal(
        mask[0, 1], mask[0, 2]
    )
    assert torch.equal(mask, draw())


def test_joint_mask_reaches_every_joint_about_as_often():
    rate = augment.joint_mask(1, 20000, 25, 0.1).float().mean((0, 1))
    assert (rate - 2 / 25).abs().max() < 5 * math.sqrt(2 / 25 / 20000)


def test_ada_in_gives_the_statistics_of_the_style():
    content, style = torch.randn(2, 1, 30, 25, 3), 3 + 2 * torch.randn(2, 1, 30, 25, 3)
    out = augment.ada_in(content, style, 'TV')
    torch.testing.assert_close(out.mean((2, 3)), style.mean((2, 3)), atol=1e-4, rtol=0)
    torch.testing.assert_close(out.std((2, 3)), style.std((2, 3)), atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="dims='T' is unknown"):
        augment.ada_in(content, style, 'T')


def test_drop_edges_rescales_what_it_keeps():
    A = torch.rand(3, 25, 25) + 0.5
    out = augment.drop_edges(A, 0.25, torch.Generator().manual_seed(0))
    kept = out != 0
    assert 0.7 < kept.float().mean() < 0.8
    torch.testing.assert_close(out[kept], A[kept] / 0.75)
    assert torch.equal(augment.drop_edges(A, 0.0), A)


def test_add_edges_keeps_the_sum_and_adds_only_where_none_was():
    A = torch.zeros(3, 25, 25)
    A[:, torch.arange(25), torch.arange(25)] = 0.3
    out = augment.add_edges(A, 0.05, torch.Generator().manual_seed(0))
    torch.testing.assert_close(out.sum(), A.sum())
    added = (out != 0) & (A == 0)
    assert 0.03 < added.sum() / (A == 0).sum() < 0.07
    # One scale for all: old entries stay in proportion, new ones were set to one.
    scale = out[A != 0] / A[A != 0]
    torch.testing.assert_close(scale, scale[:1].expand_as(scale))
    torch.testing.assert_close(out[added], scale[:1].expand(int(added.sum())))
