"""Alignment against the released preprocessing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.paths import DATA, ROOT

from hiclr_mmaction.datasets.synthetic.camera import to_coco
from hiclr_mmaction.skeleton import (
    align_clip,
    center_on,
    face_camera,
    fill_gaps,
    get_layout,
    hiclr_align,
    num_tracked_frames,
    resample,
    track,
)

# Made by the released code from two clips of SyntheticSkeletons.
SYNTHETIC = np.load(DATA / 'preprocess_synthetic.npz')
# Made by it from NTU RGB+D, which may not be passed on with the project.
NTU = Path(ROOT.parent / 'shared' / 'golden' / 'preprocess.npz')


def to_clip(array):
    """(C, T, V, M) of the released code to (M, T, V, C)."""
    return torch.from_numpy(array).permute(3, 1, 2, 0)


@pytest.mark.parametrize('name', ['wave-s00-r00', 'handshake-s00-r00'])
def test_hiclr_align_matches_released_preprocessing(name):
    raw = torch.from_numpy(SYNTHETIC[f'{name}.raw'])
    expected = to_clip(SYNTHETIC[f'{name}.frame50'])[: len(raw)]
    torch.testing.assert_close(
        hiclr_align(raw, 'nturgb+d'), expected, rtol=0, atol=1e-5
    )


@pytest.mark.skipif(not NTU.is_file(), reason='no arrays of NTU RGB+D here')
def test_hiclr_align_matches_released_preprocessing_on_ntu():
    arrays = np.load(NTU)
    names = [n.removesuffix('.raw_xyz') for n in arrays.files if n.endswith('.raw_xyz')]
    assert len(names) == 8
    for name in names:
        out = hiclr_align(to_clip(arrays[f'{name}.raw_xyz']), 'nturgb+d')
        expected = to_clip(arrays[f'{name}.frame50'])
        torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


def test_batch_of_clips_is_aligned_one_by_one():
    raw = torch.from_numpy(SYNTHETIC['handshake-s00-r00.raw'])
    other = raw.flip(0)
    out = hiclr_align(torch.stack([raw, other]), 'nturgb+d', 20)
    assert out.shape == (2, 2, 20, 25, 3)
    assert torch.equal(out[1], hiclr_align(other, 'nturgb+d', 20))


def test_frames_after_the_last_tracked_one_are_left_out():
    raw = torch.from_numpy(SYNTHETIC['wave-s00-r00.raw'])
    padded = torch.cat([raw, torch.zeros(1, 30, 25, 3)], dim=1)
    assert int(num_tracked_frames(padded)) == raw.shape[1]
    assert torch.equal(hiclr_align(padded, 'nturgb+d'), hiclr_align(raw, 'nturgb+d'))


def test_clip_centred_on_joint_0_keeps_all_its_frames():
    raw = torch.from_numpy(SYNTHETIC['wave-s00-r00.raw'])
    centred = center_on(raw, 0)
    torch.testing.assert_close(
        hiclr_align(centred, 'nturgb+d'),
        hiclr_align(raw, 'nturgb+d'),
        atol=1e-5,
        rtol=0,
    )


def test_empty_clip_is_an_error():
    with pytest.raises(ValueError, match='no tracked frame'):
        hiclr_align(torch.zeros(1, 10, 25, 3), 'nturgb+d')
    with pytest.raises(ValueError, match='cannot resample 0 frames'):
        resample(torch.zeros(1, 0, 25, 3), 5)


def test_layout_without_shoulders_is_an_error():
    layout = get_layout(dict(num_joints=2, bones=[(1, 0)], center=0))
    with pytest.raises(ValueError, match='has no shoulders'):
        hiclr_align(torch.ones(1, 4, 2, 3), layout)


@pytest.mark.parametrize('frames', [1, 7, 50, 120])
def test_resample_agrees_with_opencv(frames):
    cv2 = pytest.importorskip('cv2')
    x = torch.randn(2, frames, 25, 3)
    out = resample(x, 50)
    for person in range(2):
        expected = cv2.resize(
            x[person].numpy(), (25, 50), interpolation=cv2.INTER_LINEAR
        )
        # Both find the source frame in single precision; between frames of white noise
        # its rounding shows.
        np.testing.assert_allclose(out[person], expected, atol=5e-5)


def test_absent_person_stays_absent():
    raw = torch.from_numpy(SYNTHETIC['wave-s00-r00.raw'])
    pair = torch.cat([raw, torch.zeros_like(raw)])
    assert (hiclr_align(pair, 'nturgb+d')[1] == 0).all()


def test_face_camera_turns_the_shoulders_into_the_image_plane():
    x = torch.randn(1, 6, 25, 3)
    turned = face_camera(x, (8, 4))
    line = (turned[..., 8, :] - turned[..., 4, :]).squeeze(0)
    # The sign is one for the sequence, so not every frame ends with z = 0; the
    # x extent of the shoulder line never shrinks below its projection.
    torch.testing.assert_close(turned[..., 1], x[..., 1])
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    still = face_camera(x[:, :1].expand(1, 6, 25, 3), (8, 4))
    line = (still[..., 8, :] - still[..., 4, :]).squeeze(0)
    assert (line[:, 2].abs() < 0.05).all()
    assert (line[:, 0] > 0).all()


@pytest.fixture
def image():
    """Pixels and scores (2, T, 17, 3) of two people, everything seen."""
    pixels = torch.from_numpy(to_coco(SYNTHETIC['handshake-s00-r00.raw']))
    return torch.cat([pixels, torch.ones_like(pixels[..., :1])], dim=-1)


class TestImage:
    def test_centre_is_the_origin_and_the_size_is_one(self, image):
        out = align_clip(image, 'coco', 30)
        assert out.shape == (2, 30, 17, 3)
        assert (out[..., 0, :2].abs() < 1e-5).all()
        size = out[..., :2].square().sum(-1).mean((1, 2)).sqrt()
        torch.testing.assert_close(size, torch.ones(2))
        assert (out[..., 2] == 1).all()

    def test_nearer_camera_and_other_place_in_the_picture_change_nothing(self, image):
        moved = image.clone()
        moved[..., :2] = 2.5 * image[..., :2] + torch.tensor([300.0, -80.0])
        torch.testing.assert_close(
            align_clip(moved, 'coco'), align_clip(image, 'coco'), atol=1e-4, rtol=0
        )

    def test_one_scale_for_all_frames_of_a_person(self, image):
        out, frames = align_clip(image, 'coco', image.shape[1]), image.shape[1]
        centred = center_on(image, 0)
        ratio = centred[:, :, 5:, 0] / out[:, :, 5:, 0]
        sure = centred[:, :, 5:, 0].abs() > 5
        for person in range(2):
            values = ratio[person][sure[person]]
            assert len(values) > frames
            torch.testing.assert_close(
                values, values.mean().expand_as(values), rtol=1e-3, atol=0
            )

    def test_weight_of_a_joint_in_the_size_is_its_score(self, image):
        astray = image.clone()
        astray[:, ::5, 9, :2] += 4000
        sure = align_clip(astray, 'coco', image.shape[1])
        astray[:, ::5, 9, 2] = 0.001
        doubted = align_clip(astray, 'coco', image.shape[1])
        good = align_clip(image, 'coco', image.shape[1])
        others = [0, 5, 6, 11, 12, 15, 16]
        torch.testing.assert_close(
            doubted[:, :, others, :2], good[:, :, others, :2], atol=0, rtol=0.15
        )
        assert sure[:, :, 16, 1].abs().max() < 0.6 * good[:, :, 16, 1].abs().max()

    def test_unseen_joints_are_filled_and_keep_score_0(self, image):
        holes = image.clone()
        holes[0, 10:14, 0] = 0  # the centre itself
        holes[0, 10:14, 9] = 0
        frames = image.shape[1]
        out, good = (align_clip(x, 'coco', frames) for x in (holes, image))
        assert (out[0, 10:14, [0, 9], 2] == 0).all()
        # Unfilled, they would be hundreds of pixels, several bodies, astray.
        assert (out[..., :2] - good[..., :2]).abs().max() < 0.3
        torch.testing.assert_close(out[0, 20:], good[0, 20:], atol=0.02, rtol=0)

    def test_centre_that_is_never_seen_is_replaced_by_the_mean(self, image):
        image[0, :, 0] = 0
        out = align_clip(image, 'coco', 20)
        assert (out[0, :, 0] == 0).all()
        assert (out[0, :, 1:, :2].mean(1).abs() < 1e-3).all()
        assert out[..., :2].abs().max() < 4

    def test_end_in_which_nobody_is_seen_is_left_out(self, image):
        padded = torch.cat([image, torch.zeros(2, 25, 17, 3)], dim=1)
        assert torch.equal(align_clip(padded, 'coco'), align_clip(image, 'coco'))

    def test_absent_person_stays_absent_and_changes_nothing(self, image):
        alone = align_clip(image[:1], 'coco')
        image[1] = 0
        pair = align_clip(image, 'coco')
        assert torch.equal(pair[:1], alone)
        assert (pair[1] == 0).all()

    def test_batch_is_aligned_one_by_one(self, image):
        out = align_clip(torch.stack([image, image.flip(0)]), 'coco', 20)
        assert torch.equal(out[1], align_clip(image.flip(0), 'coco', 20))

    def test_clip_without_any_score_is_an_error(self, image):
        image[..., 2] = 0
        with pytest.raises(ValueError, match='no joint has a score above 0'):
            align_clip(image, 'coco')


@pytest.fixture
def raw():
    """3-D clip (2, T, 25, 3) of two persons, everything measured."""
    return torch.from_numpy(SYNTHETIC['handshake-s00-r00.raw'])


class TestUntracked:
    """3-D clips in which persons, frames or joints are lost."""

    def test_clip_that_is_whole_gives_the_released_result(self, raw):
        expected = hiclr_align(raw, 'nturgb+d')
        assert torch.equal(align_clip(raw, 'nturgb+d'), expected)
        assert not any(track(raw, 'nturgb+d').counts().values())

    def test_person_seen_from_frame_12_to_20_gives_50_good_frames(self, raw):
        clip = torch.zeros(1, 60, 25, 3)
        clip[0, 12:20] = raw[0, 12:20]
        out = align_clip(clip, 'nturgb+d', 50)
        assert torch.equal(out, hiclr_align(raw[:1, 12:20], 'nturgb+d', 50))
        assert track(clip, 'nturgb+d').counts()['dropped_frames'] == 52

    def test_lost_joints_and_frames_can_be_refused(self, raw):
        assert len(align_clip(raw, 'nturgb+d', untracked='refuse')) == 2
        raw[0, 3, 7] = 0
        with pytest.raises(
            ValueError, match=r"lost in the clip \({'filled_joints': 1}"
        ):
            align_clip(raw, 'nturgb+d', untracked='refuse')

    def test_late_person_of_the_case(self):
        clip = torch.from_numpy(np.load(DATA / 'cases' / 'late.npy'))[None]
        out = align_clip(clip, 'nturgb+d', 50)
        assert (out[0].abs().amax((1, 2)) > 0.3).all()
        assert torch.equal(out, hiclr_align(clip[:, 30:], 'nturgb+d', 50))
        # The released way: half of it is blank.
        released = align_clip(clip, 'nturgb+d', 50, untracked='released')
        assert (released[0].abs().amax((1, 2)) < 1e-4).sum() >= 24

    def test_second_person_without_the_first_becomes_the_first(self, raw):
        clip = torch.stack([torch.zeros_like(raw[0]), raw[0]])
        out = align_clip(clip, 'nturgb+d', 50, num_person=2)
        assert torch.equal(out[:1], hiclr_align(raw[:1], 'nturgb+d'))
        assert (out[1] == 0).all()

    def test_persons_of_the_most_frames_are_chosen_in_their_order(self, raw):
        clip = torch.stack([raw[0], raw[0] + 1, raw[1]])
        clip[1, 5:] = 0
        out = align_clip(clip, 'nturgb+d', num_person=2)
        assert torch.equal(out, hiclr_align(raw, 'nturgb+d'))

    def test_short_gap_is_interpolated_and_long_one_dropped(self, raw):
        whole = raw[:1, :40]
        gap = whole.clone()
        gap[:, 10:14] = 0
        out = align_clip(gap, 'nturgb+d', 40)
        assert (out - align_clip(whole, 'nturgb+d', 40)).abs().max() < 0.15
        assert track(gap, 'nturgb+d').counts()['filled_frames'] == 4
        cut = torch.cat([whole[:, :10], whole[:, 14:]], dim=1)
        out = align_clip(gap, 'nturgb+d', 36, max_gap=3)
        assert torch.equal(out, align_clip(cut, 'nturgb+d', 36))

    def test_lost_joint_is_interpolated_and_is_no_spike(self, raw):
        lost = raw.clone()
        lost[0, 10:13, 11] = 0  # some 2.5 m from the body
        counts = track(lost, 'nturgb+d').counts()
        assert counts['filled_joints'] == 3
        frames = raw.shape[1]
        out, good = (align_clip(x, 'nturgb+d', frames) for x in (lost, raw))
        assert (out - good).norm(dim=-1).max() < 0.15

    def test_joint_that_is_never_measured_lies_at_the_centre(self, raw):
        lost = raw.clone()
        lost[0, :, [7, 22]] = 0
        out = align_clip(lost, 'nturgb+d')
        assert (out[0, :, [7, 22]] == 0).all()
        assert track(lost, 'nturgb+d').counts()['lost_joints'] == 2
        kept = [v for v in range(25) if v not in (7, 22)]
        assert torch.equal(out[:, :, kept], hiclr_align(raw, 'nturgb+d')[:, :, kept])

    def test_centre_that_is_never_measured_is_replaced_by_the_mean(self, raw):
        lost = raw.clone()
        lost[0, :, 20] = 0
        out = align_clip(lost, 'nturgb+d')[0]
        assert (out[:, :20].mean(1).norm(dim=-1) < 0.2).all()
        assert out.norm(dim=-1).max() < 1.6

    @pytest.mark.parametrize('joint', [0, 1, 20])
    def test_joint_at_the_origin_of_centred_clips_is_measured(self, raw, joint):
        centred = center_on(raw, joint)
        assert not any(track(centred, 'nturgb+d').counts().values())
        torch.testing.assert_close(
            align_clip(centred, 'nturgb+d'),
            hiclr_align(raw, 'nturgb+d'),
            atol=1e-5,
            rtol=0,
        )

    def test_lost_joint_of_a_centred_clip_is_found(self, raw):
        centred = center_on(raw, 0)
        centred[0, 8:12, 19] = 0  # a foot
        counts = track(centred, 'nturgb+d').counts()
        assert (counts['filled_joints'], counts['lost_joints']) == (4, 0)

    def test_root_motion_that_starts_at_the_origin_keeps_all_frames(self, raw):
        moving = center_on(raw[:1, :40], 0)
        moving[:, 25:] += torch.arange(15)[:, None, None] * 0.02
        counts = track(moving, 'nturgb+d').counts()
        assert not any(counts.values())
        torch.testing.assert_close(
            align_clip(moving, 'nturgb+d'),
            align_clip(moving + 1, 'nturgb+d'),
            atol=1e-5,
            rtol=0,
        )

    def test_person_who_comes_later_is_whole_or_absent(self, raw):
        clip = raw[:, :40].clone()
        clip[1, :20] = 0
        out = align_clip(clip, 'nturgb+d', 30)
        size = out[1].norm(dim=-1).amax(-1)
        assert (size[:15] == 0).all()
        assert (size[15:] > 0.6).all()

    def test_result_that_is_not_finite_is_an_error(self, raw):
        wide = raw.clone()
        wide[0, 3, :4, 0] = 3e38
        wide[0, 3, 20, 0] = -3e38
        with pytest.raises(ValueError, match='not finite: coordinates reach 3e'):
            align_clip(wide, 'nturgb+d')

    @pytest.mark.parametrize(
        'setting',
        [
            dict(num_frames=0),
            dict(num_person=0),
            dict(untracked='no'),
            dict(max_gap=-1),
        ],
    )
    def test_setting_out_of_range_is_named(self, raw, setting):
        ((name, value),) = setting.items()
        with pytest.raises(ValueError, match=f'{name}={value!r}'):
            align_clip(raw, 'nturgb+d', **setting)


def test_gaps_are_filled_on_a_straight_line_and_ends_are_held():
    x = torch.zeros(1, 8, 2, 2)
    seen = torch.zeros(1, 8, 2, dtype=torch.bool)
    x[0, [2, 5], 0] = torch.tensor([[10.0, 0.0], [40.0, 6.0]])
    seen[0, [2, 5], 0] = True
    out = fill_gaps(x, seen)[0]
    assert out[:, 0, 0].tolist() == [10, 10, 10, 20, 30, 40, 40, 40]
    assert out[:, 0, 1].tolist() == [0, 0, 0, 2, 4, 6, 6, 6]
    assert (out[:, 1] == 0).all()
