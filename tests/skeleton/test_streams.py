"""Streams against the released code's."""

import pytest
import torch
from support import load_reference

from hiclr_mmaction.skeleton import STREAMS, to_bone, to_motion, to_stream


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
