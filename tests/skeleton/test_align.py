"""Alignment against the released preprocessing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support import DATA, ROOT

from hiclr_mmaction.skeleton import (
    center_on,
    face_camera,
    get_layout,
    hiclr_align,
    num_tracked_frames,
    resample,
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
