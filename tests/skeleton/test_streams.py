"""Streams against the released code's."""

import pytest
import torch
from helpers.references import load_reference

from hiclr_mmaction.skeleton import STREAMS, get_layout, to_bone, to_motion, to_stream


def test_streams_match_released_code():
    ref = load_reference('augment')
    assert torch.equal(to_bone(ref['input'], 'nturgb+d-stgcn'), ref['stream.bone'])
    assert torch.equal(to_motion(ref['input']), ref['stream.motion'])


def test_the_two_ntu_layouts_differ_in_the_hands_only():
    x = torch.randn(2, 1, 3, 25, 3)
    differs = (to_bone(x, 'nturgb+d') != to_bone(x, 'nturgb+d-stgcn')).any(-1)
    assert differs.flatten(0, 2).any(0).nonzero().flatten().tolist() == [21, 23]


def test_bone_motion_is_motion_of_bones():
    x = torch.randn(2, 1, 5, 20, 3)
    out = to_stream(x, 'bone_motion', 'kinect20')
    assert torch.equal(out, to_motion(to_bone(x, 'kinect20')))
    assert (out[..., -1, :, :] == 0).all()


@pytest.mark.parametrize('stream', STREAMS)
def test_every_stream_keeps_shape_and_absent_persons(stream):
    x = torch.randn(2, 2, 5, 25, 3)
    x[1, 1] = 0
    out = to_stream(x, stream, 'nturgb+d')
    assert out.shape == x.shape
    assert (out[1, 1] == 0).all()


def test_unknown_stream_lists_the_known():
    with pytest.raises(
        ValueError, match="stream='bones' is unknown; known are joint, bone"
    ):
        to_stream(torch.zeros(1, 1, 2, 25, 3), 'bones', 'nturgb+d')


class TestScores:
    """Of 2-D skeletons: a difference is as sure as the worse of its two ends."""

    @pytest.fixture
    def x(self):
        return torch.rand(2, 1, 6, 17, 3) + 0.1

    def test_bone_has_the_smaller_score_of_its_joints_and_the_root_its_own(self, x):
        out = to_bone(x, 'coco')
        assert torch.equal(out[..., 15, 2], torch.minimum(x[..., 15, 2], x[..., 13, 2]))
        assert torch.equal(out[..., 15, :2], x[..., 15, :2] - x[..., 13, :2])
        assert (out[..., 0, :2] == 0).all()
        assert torch.equal(out[..., 0, 2], x[..., 0, 2])

    def test_motion_has_the_smaller_score_of_its_frames_and_the_last_its_own(self, x):
        out = to_motion(x, 'coco')
        score = x[..., 2]
        assert torch.equal(
            out[:, :, :-1, :, 2],
            torch.minimum(score[:, :, 1:], score[:, :, :-1]),
        )
        assert torch.equal(out[:, :, -1, :, 2], score[:, :, -1])
        assert torch.equal(out[..., :2], to_motion(x)[..., :2])

    def test_bone_motion_takes_the_smallest_of_four(self, x):
        out = to_stream(x, 'bone_motion', 'coco')
        four = x[:, :, 2:4, [15, 13], 2].flatten(2).amin(-1)
        assert torch.equal(out[:, :, 2, 15, 2], four)

    def test_same_joints_in_space_have_no_score(self, x):
        space = get_layout(dict(base='coco', coordinates='3d'))
        out = to_stream(x, 'bone', space)
        assert torch.equal(out[..., 15, :], x[..., 15, :] - x[..., 13, :])

    @pytest.mark.parametrize('stream', STREAMS)
    def test_absent_person_stays_absent(self, x, stream):
        x[1] = 0
        assert (to_stream(x, stream, 'coco')[1] == 0).all()
