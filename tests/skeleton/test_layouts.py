"""Layouts: consistent, and the graphs that others have."""

import numpy as np
import pytest
from helpers.references import load_reference
from mmaction.models.utils.graph import Graph

from hiclr_mmaction.skeleton import LAYOUTS, SkeletonLayout, get_layout


@pytest.mark.parametrize('name', LAYOUTS)
class TestEveryLayout:
    def test_is_a_tree_that_reaches_every_joint(self, name):
        layout = get_layout(name)
        parent = dict(layout.bones)
        root = set(range(layout.num_joints)) - set(parent)
        assert len(root) == 1
        for joint in range(layout.num_joints):
            seen = {joint}
            while joint in parent:
                joint = parent[joint]
                assert joint not in seen, 'a cycle'
                seen.add(joint)

    def test_bones_are_the_same_after_mirroring(self, name):
        layout = get_layout(name)
        mirrored = {(layout.mirror[c], layout.mirror[p]) for c, p in layout.bones}
        assert mirrored == set(layout.bones)

    def test_mirror_exchanges_joints_called_left_and_right(self, name):
        layout = get_layout(name)
        for joint, other in enumerate(layout.mirror):
            swapped = layout.joints[joint].replace('left', '*').replace('right', 'left')
            assert layout.joints[other] == swapped.replace('*', 'right')

    def test_shoulders_are_right_then_left(self, name):
        layout = get_layout(name)
        right, left = (layout.joints[j] for j in layout.shoulders)
        assert (right, left) == ('right shoulder', 'left shoulder')


@pytest.mark.parametrize('name', ['nturgb+d', 'coco', 'openpose'])
@pytest.mark.parametrize('mode', ['stgcn_spatial', 'spatial', 'binary_adj'])
def test_graph_is_mmaction2s_where_it_has_the_layout(name, mode):
    ours = Graph(**get_layout(name).graph_cfg(mode)).A
    np.testing.assert_array_equal(ours, Graph(layout=name, mode=mode).A)


def test_stgcn_graph_is_the_released_codes():
    released = load_reference('inference')['weight.encoder_q.A'].numpy()
    ours = Graph(**get_layout('nturgb+d-stgcn').graph_cfg('stgcn_spatial')).A
    np.testing.assert_allclose(ours, released, atol=1e-6)
    other = Graph(**get_layout('nturgb+d').graph_cfg('stgcn_spatial')).A
    assert np.abs(other - released).max() > 0.1


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="layout='ntu' is unknown; known are nturgb"):
        get_layout('ntu')


def test_own_skeleton_from_a_dict():
    layout = get_layout(
        dict(
            name='arm',
            joints=['neck', 'left hand', 'right hand'],
            bones=[(1, 0), (2, 0)],
            mirror_pairs=[(1, 2)],
            center=0,
            shoulders=(2, 1),
        )
    )
    assert layout.num_joints == 3
    assert layout.mirror == (0, 2, 1)
    assert get_layout(layout) is layout
    assert Graph(**layout.graph_cfg()).A.shape == (3, 3, 3)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(center=3), 'center names joint 3'),
        (dict(bones=[(1, 0), (1, 2)]), r'joints \[1\] are the child of more than one'),
        (dict(bones=[(1, 7)]), 'bones names joint 7'),
        (dict(mirror=[0, 2, 2]), 'not a permutation'),
        (dict(mirror=[1, 2, 0]), 'not a permutation .* that undoes itself'),
        (dict(mirror_pairs=[(1, 9)]), 'mirror_pairs names joint 9'),
        (dict(mirror=[0, 1, 2], mirror_pairs=[(1, 2)]), 'not both'),
        (dict(shoulders=(1, 5)), 'shoulders names joint 5'),
        (dict(joints=['a']), '1 joint names for num_joints=3'),
        (dict(num_joints=None), r"\['num_joints'\] missing"),
        (dict(bones=None), r"\['bones'\] missing"),
        (dict(coordinates='xy'), "coordinates='xy' is unknown; it is '3d'"),
        (dict(num_joints='3'), "num_joints='3' is not a whole number"),
        (dict(num_joints=3.0), 'num_joints=3.0 is not a whole number'),
        (dict(num_joints=-1), 'num_joints=-1 is not a whole number'),
        (dict(center=1.0), 'center names joint 1.0'),
        (dict(center='hips'), "center names joint 'hips'"),
        (dict(center=True), 'center names joint True'),
        (dict(bones=[1, 0, 2, 0]), r'bones=\[1, .* is not a list of pairs \(child,'),
        (dict(bones=[(1, 0, 2)]), 'is not a list of pairs'),
        (dict(bones=3), 'bones=3 is not a list of pairs'),
        (dict(bones=[(1, 0.0), (2, 0)]), 'bones names joint 0.0'),
        (dict(bones=[(1, 1), (2, 0)]), r'back to itself \(1 -> 1\)'),
        (dict(bones=[(1, 2), (2, 1)]), r'back to itself \(1 -> 2 -> 1\)'),
        (dict(bones=[(0, 1), (1, 2), (2, 1)]), r'back to itself \(1 -> 2 -> 1\)'),
        (dict(bones=[(1, 0)]), r'joints \[0, 2\] have no parent'),
        (dict(shoulders=(1,)), 'shoulders=.* are not two joints'),
        (dict(shoulders=(1, 1)), 'shoulders=.* are not two joints'),
        (dict(shoulders=1), 'shoulders=1 is not a list'),
        (dict(shoulders=(1, 'left')), "shoulders names joint 'left'"),
        (dict(mirror=[0, 2]), 'not a permutation'),
        (dict(mirror=['a', 'b', 'c']), "mirror names joint 'a'"),
        (dict(mirror_pairs=[(2, 2)]), 'mirror_pairs names joint 2 more than once'),
        (dict(mirror_pairs=[(0, 1), (1, 2)]), 'mirror_pairs names joint 1 more than'),
        (dict(mirror_pairs=[1, 2]), r'mirror_pairs=\[1, 2\] is not a list of pairs'),
        (dict(joints='abc'), "joints='abc' is not a list"),
        (dict(centre=0), r"unknown keys \['centre'\]"),
    ],
)
def test_contradictory_dict_names_what_is_wrong(change, message):
    layout = dict(num_joints=3, bones=[(1, 0), (2, 0)], center=0)
    layout.update(change)
    layout = {k: v for k, v in layout.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        get_layout(layout)


def test_all_that_is_wrong_in_a_layout_is_told_at_once():
    wrong = dict(center=5, shoulders=(0, 8), coordinates='xy', joints=['a'])
    with pytest.raises(ValueError, match='center') as caught:
        get_layout(dict(num_joints=3, bones=[(1, 0), (1, 2)], **wrong))
    lines = str(caught.value).splitlines()
    told = ('coordinates=', 'joint names', 'center', 'shoulders', 'more than one bone')
    assert len(lines) == len(told)
    for words, line in zip(told, lines, strict=True):
        assert words in line


def test_layouts_of_image_keypoints_have_a_score():
    scored = {name for name, layout in LAYOUTS.items() if layout.num_axes == 2}
    assert scored == {'body_25', 'coco', 'mediapipe', 'openpose'}
    assert all(LAYOUTS[name].coordinates == '2d' for name in scored)


@pytest.mark.parametrize(('former', 'now'), [('xyz', '3d'), ('xys', '2d')])
def test_former_names_of_coordinates_are_still_read(former, now):
    assert get_layout(dict(base='coco', coordinates=former)).coordinates == now


def test_dict_on_a_base_changes_what_it_says_and_nothing_else():
    base = get_layout('mediapipe')
    layout = get_layout(dict(base='mediapipe', coordinates='3d', center=23))
    assert (layout.coordinates, layout.num_axes, layout.center) == ('3d', 3, 23)
    assert (layout.bones, layout.mirror, layout.joints) == (
        base.bones,
        base.mirror,
        base.joints,
    )
    pairs = get_layout(dict(base='mediapipe', mirror_pairs=[(11, 12)]))
    assert pairs.mirror[11] == 12
    assert pairs.mirror[23] == 23


def test_project_can_add_a_layout_by_name(monkeypatch):
    own = get_layout(dict(name='arm', num_joints=2, bones=[(1, 0)], center=0))
    monkeypatch.setitem(LAYOUTS, 'arm', own)
    assert get_layout('arm') is own


def test_neither_name_nor_dict_is_an_error():
    with pytest.raises(ValueError, match='neither the name of a layout nor a dict'):
        get_layout(25)


def test_layout_cannot_be_changed():
    with pytest.raises(AttributeError):
        get_layout('kinect20').center = 1
    assert isinstance(get_layout('kinect20'), SkeletonLayout)
