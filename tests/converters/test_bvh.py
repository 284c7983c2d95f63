"""BVH motion capture: the parser, its kinematics, and the skeleton it makes."""

import json
import re
import shutil

import numpy as np
import pytest
from helpers.paths import DATA
from helpers.raw_files import quiet
from mmaction.registry import TRANSFORMS

from hiclr_mmaction.annotations.inspection import inspect_pickle
from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import BVHConverter, convert
from hiclr_mmaction.converters.bvh import parse_bvh
from hiclr_mmaction.skeleton import get_layout
from hiclr_mmaction.skeleton.joint_names import find_joint, index_joints

ARM = """HIERARCHY
ROOT Base
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Upper
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 5 0 0
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.008333
1 2 3 0 0 0 0 0 0
1 2 3 90 0 0 0 0 0
4 5 6 20 30 40 50 60 70
"""

# A body that faces +z with its left at +x, in centimetres: name, parent, offset.
BODY = [
    ('Hips', None, (0, 90, 0)),
    ('Spine', 'Hips', (0, 12, 0)),
    ('Spine1', 'Spine', (0, 25, 0)),
    ('Neck', 'Spine1', (0, 12, 0)),
    ('Head', 'Neck', (0, 10, 2)),
    *[
        (
            side + name,
            side + parent if parent[0] != '-' else parent[1:],
            (sign * x, y, z),
        )
        for side, sign in [('Left', 1), ('Right', -1)]
        for name, parent, (x, y, z) in [
            ('Shoulder', '-Spine1', (5, 8, 0)),
            ('Arm', 'Shoulder', (13, 0, 0)),
            ('ForeArm', 'Arm', (2, -28, 0)),
            ('Hand', 'ForeArm', (0, -25, 6)),
            ('UpLeg', '-Hips', (9, -3, 0)),
            ('Leg', 'UpLeg', (0, -42, 3)),
            ('Foot', 'Leg', (0, -42, -3)),
            ('ToeBase', 'Foot', (0, -6, 14)),
        ]
    ],
]


def write_body(path, frames=5, rename=lambda name: name, turn=30, fps=120):
    """Write the body, whose hips turn about y from 0 to `turn` degrees."""
    children = {}
    for name, parent, offset in BODY:
        children.setdefault(parent, []).append((name, offset))
    lines = ['HIERARCHY']

    def joint(name, offset, depth):
        kind = 'ROOT' if depth == 0 else 'JOINT'
        lines.append(f'{kind} {rename(name)}')
        lines.append('{')
        lines.append('OFFSET {} {} {}'.format(*offset))
        places = 'Xposition Yposition Zposition ' if depth == 0 else ''
        lines.append(
            f'CHANNELS {6 if depth == 0 else 3} {places}Zrotation Xrotation Yrotation'
        )
        for child in children.get(name, []):
            joint(*child, depth + 1)
        if name not in children:
            lines.extend(['End Site', '{', 'OFFSET 0 -4 0', '}'])
        lines.append('}')

    joint('Hips', (0, 0, 0), 0)
    lines += ['MOTION', f'Frames:\t{frames}', f'Frame Time: {1 / fps:.6f}']
    for t in range(frames):
        still = [0.0] * 3 * (len(BODY) - 1)
        row = [10 * t, 90, 0, 0, 0, turn * t / max(frames - 1, 1), *still]
        lines.append(' '.join(map(str, row)))
    path.write_text('\n'.join(lines) + '\n')


def run(source, tmp_path, **kwargs):
    out = tmp_path / 'out.pkl'
    report = convert(source, out, workers=1, console=quiet(), **kwargs)
    content = load_pickle(out)
    return report, {a['frame_dir']: a for a in content['annotations']}, content


def rotation(axis, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array(
        dict(
            x=[[1, 0, 0], [0, c, -s], [0, s, c]],
            y=[[c, 0, s], [0, 1, 0], [-s, 0, c]],
            z=[[c, -s, 0], [s, c, 0], [0, 0, 1]],
        )[axis]
    )


class TestKinematics:
    def test_hierarchy_is_read_with_the_ends_of_limbs(self):
        bvh = parse_bvh(ARM)
        assert bvh.joints == ['Base', 'Upper', 'Upper end']
        assert bvh.parents == [-1, 0, 1]
        assert bvh.motion.shape == (3, 9)
        assert bvh.frame_time == 0.008333

    def test_without_rotation_joints_are_at_their_offsets(self):
        places = parse_bvh(ARM).positions()[0]
        np.testing.assert_allclose(places, [[1, 2, 3], [1, 12, 3], [6, 12, 3]])

    def test_rotation_turns_what_hangs_on_the_joint(self):
        places = parse_bvh(ARM).positions()[1]
        np.testing.assert_allclose(
            places, [[1, 2, 3], [-9, 2, 3], [-9, 7, 3]], atol=1e-9
        )

    def test_rotations_are_applied_in_the_order_of_the_channels(self):
        places = parse_bvh(ARM).positions()[2]
        base = rotation('z', 20) @ rotation('x', 30) @ rotation('y', 40)
        upper = rotation('z', 50) @ rotation('x', 60) @ rotation('y', 70)
        root = np.array([4, 5, 6])
        joint = root + base @ [0, 10, 0]
        np.testing.assert_allclose(places[1], joint)
        np.testing.assert_allclose(places[2], joint + base @ upper @ [5, 0, 0])

    def test_bones_keep_their_lengths(self, tmp_path):
        write_body(tmp_path / 'a.bvh')
        bvh = parse_bvh((tmp_path / 'a.bvh').read_text())
        bvh.motion[:, 3:] = np.random.default_rng(0).uniform(
            -180, 180, bvh.motion[:, 3:].shape
        )
        places = bvh.positions()
        for joint, parent in enumerate(bvh.parents[1:], 1):
            length = np.linalg.norm(places[:, joint] - places[:, parent], axis=-1)
            np.testing.assert_allclose(length, np.linalg.norm(bvh.offsets[joint]))


class TestOwnSkeleton:
    def test_layout_is_made_from_the_file_and_written_out(self, tmp_path):
        write_body(tmp_path / 'walk.bvh')
        report, clips, content = run(BVHConverter(tmp_path), tmp_path)
        layout = get_layout(content['layout'])
        assert layout.num_joints == len(BODY) + 5  # head, hands and toes end
        right, left = layout.shoulders
        assert (layout.joints[right], layout.joints[left]) == ('RightArm', 'LeftArm')
        assert layout.joints[layout.center] == 'Hips'
        for joint, other in enumerate(layout.mirror):
            swapped = layout.joints[joint].replace('Left', '*').replace('Right', 'Left')
            assert layout.joints[other] == swapped.replace('*', 'Right')
        assert clips['walk']['keypoint'].shape == (1, 5, layout.num_joints, 3)
        told = json.loads(report.path.read_text())['settings']['layout']
        assert get_layout(told) == layout

    def test_metres_and_sides_are_right(self, tmp_path):
        write_body(tmp_path / 'walk.bvh', turn=170)
        _, clips, content = run(BVHConverter(tmp_path), tmp_path)
        joints = clips['walk']['keypoint'][0]
        head = content['layout']['joints'].index('Head')
        assert joints[0, head, 1] == pytest.approx(1.49)
        out = inspect_pickle(tmp_path / 'out.pkl')
        assert [finding.kind for finding in out.findings] == ['fewer than 8 frames']
        assert out.facts['left and right'].endswith('feet in 1 of 1 clips')

    def test_clips_can_be_aligned_and_streamed(self, tmp_path):
        write_body(tmp_path / 'walk.bvh')
        _, clips, content = run(BVHConverter(tmp_path), tmp_path)
        align = TRANSFORMS.build(
            dict(type='SkeletonAlign', layout=content['layout'], num_person=1)
        )
        bones = TRANSFORMS.build(
            dict(type='SkeletonStream', layout=content['layout'], stream='bone')
        )
        keypoint = bones(align(dict(clips['walk'])))['keypoint']
        assert keypoint.shape == (1, 50, len(BODY) + 5, 3)
        lengths = np.linalg.norm(keypoint, axis=-1)[0]
        leg = content['layout']['joints'].index('LeftLeg')
        np.testing.assert_allclose(lengths[:, leg], np.hypot(0.42, 0.03), atol=2e-3)

    def test_file_of_another_skeleton_is_left_out(self, tmp_path):
        write_body(tmp_path / 'a.bvh')
        (tmp_path / 'b.bvh').write_text(ARM)
        report, clips, _ = run(BVHConverter(tmp_path), tmp_path)
        assert list(clips) == ['a']
        assert report.reasons == {'another skeleton': 1}

    def test_frames_are_stepped_over(self, tmp_path):
        write_body(tmp_path / 'a.bvh', frames=9)
        _, clips, _ = run(BVHConverter(tmp_path, fps=30), tmp_path)
        assert clips['a']['total_frames'] == 3
        places = clips['a']['keypoint'][0, :, 0, 0]
        np.testing.assert_allclose(places, [0, 0.4, 0.8], atol=1e-6)


class TestOtherPrograms:
    """Files as other programs write them: one person, 1.47 m to the head."""

    CASES = sorted(path.stem for path in (DATA / 'cases').glob('bvh_*.bvh'))

    def convert(self, tmp_path, case, layout=None, **kwargs):
        folder = tmp_path / 'in'
        folder.mkdir()
        shutil.copy(DATA / 'cases' / f'{case}.bvh', folder / 'a.bvh')
        converter = BVHConverter(folder, layout=layout)
        report, clips, content = run(converter, tmp_path, **kwargs)
        return report, clips['a']['keypoint'][0], get_layout(content['layout'])

    @pytest.mark.parametrize('layout', [None, 'kinect20', 'h36m'])
    @pytest.mark.parametrize('case', CASES)
    def test_person_stands_upright_in_metres(self, tmp_path, case, layout):
        _, joints, layout = self.convert(tmp_path, case, layout=layout)
        index = index_joints(layout.joints)
        head = joints[:, find_joint(index, '', 'head')]
        feet = joints[:, [find_joint(index, s, 'ankle') for s in ('left', 'right')]]
        wrists = joints[:, [find_joint(index, s, 'wrist') for s in ('left', 'right')]]
        np.testing.assert_allclose(head[:, 1] - feet[:, :, 1].mean(1), 1.39, atol=0.03)
        assert (wrists[:, 0, 0] - wrists[:, 1, 0] > 1).all()

    @pytest.mark.parametrize('case', CASES)
    def test_center_is_the_hips(self, tmp_path, case):
        _, joints, layout = self.convert(tmp_path, case)
        assert layout.joints[layout.center].lower() in (
            'hips', 'hip', 'pelvis', 'bip01'
        )  # fmt: skip
        legs = [layout.joints[c].lower() for c, p in layout.bones if p == layout.center]
        assert len(legs) == 3

    @pytest.mark.parametrize(
        ('case', 'notes'),
        [
            ('bvh_zup', ['heads are at z: turned so that y is up (--up)']),
            (
                'bvh_metres',
                [
                    'a bone longer than a body; see tools/data/inspect.py',
                    'a unit is taken for 1 m (--scale)',
                ],
            ),
            ('bvh_two_roots', ['a second skeleton, left out']),
            ('bvh_frames_more', ['another number of frames than its header says']),
            ('bvh_frames_less', ['another number of frames than its header says']),
            ('bvh_comma', []),
        ],
    )
    def test_report_notes_what_is_odd(self, tmp_path, case, notes):
        report, joints, _ = self.convert(tmp_path, case)
        assert [*report.notes, *report.remarks] == notes
        assert len(joints) == 8

    def test_unit_of_the_cmu_library_is_found(self, tmp_path):
        write_body(tmp_path / 'a.bvh')
        text = (tmp_path / 'a.bvh').read_text()
        numbers = re.sub(
            r'(?m)(?<=OFFSET )(\S+) (\S+) (\S+)',
            lambda m: ' '.join(str(float(v) * 0.45 / 2.54) for v in m.groups()),
            text,
        )
        (tmp_path / 'a.bvh').write_text(numbers)
        report, *_ = run(BVHConverter(tmp_path), tmp_path)
        assert report.settings['scale'] == pytest.approx(0.0564, abs=1e-4)

    def test_known_axis_and_unit_are_used(self, tmp_path):
        _, joints, _ = self.convert(tmp_path, 'bvh_zup', up='y', scale=1)
        assert np.ptp(joints[0, :, 2]) > 100


class TestKnownSkeleton:
    @pytest.mark.parametrize('layout', ['kinect20', 'nturgb+d', 'smpl', 'azure_kinect'])
    @pytest.mark.parametrize(
        'rename', [lambda n: n, lambda n: f'mixamorig:{n}'], ids=['plain', 'mixamo']
    )
    def test_joints_are_taken_by_their_names(self, tmp_path, layout, rename):
        write_body(tmp_path / 'a.bvh', rename=rename)
        _, clips, content = run(BVHConverter(tmp_path, layout=layout), tmp_path)
        assert content['layout'] == layout
        joints = clips['a']['keypoint'][0, 0]
        index = {name: j for j, name in enumerate(get_layout(layout).joints)}
        knee, ankle = index['left knee'], index['left ankle']
        np.testing.assert_allclose(joints[knee], [0.09, 0.45, 0.03], atol=1e-6)
        np.testing.assert_allclose(joints[ankle], [0.09, 0.03, 0.0], atol=1e-6)
        np.testing.assert_allclose(
            joints[index['right elbow'], :2], [-0.20, 1.07], atol=1e-6
        )
        assert inspect_pickle(tmp_path / 'out.pkl').errors == []

    def test_file_without_such_names_is_left_out_and_says_which(self, tmp_path):
        write_body(tmp_path / 'a.bvh')
        (tmp_path / 'b.bvh').write_text(ARM)
        report, _, _ = run(BVHConverter(tmp_path, layout='kinect20'), tmp_path)
        (skipped,) = report.skipped
        assert 'the position of hip center, spine, ' in skipped['reason']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda t: t.replace('HIERARCHY', ''), 'no BVH'),
        (
            lambda t: t.replace('4 5 6', '4 5'),
            'truncated: 26 numbers, not 3 frames of 9',
        ),
        (lambda t: t.replace('4 5 6', '4 5 x'), 'not a number'),
        (lambda t: t.replace('CHANNELS 3', 'CHANNELS 4'), 'CHANNELS of line 9'),
        (lambda t: t.replace('    OFFSET 0 10 0', '    OFFSET 0 10'), 'line 8'),
        (lambda t: t.replace('}\nMOTION', 'MOTION'), 'a joint does not end'),
        (lambda t: t.replace('Frames: 3', ''), 'Frames or Frame Time is missing'),
        (lambda t: re.sub('CHANNELS 3.*', 'CHANNELS', t), 'CHANNELS of line 9'),
        (lambda t: t.replace('CHANNELS 3 Zrotation', 'CHANNELS 3 Xrotation'), 'line 9'),
        (lambda t: '\n'.join(t.splitlines()[:-3]), 'truncated: 0 numbers'),
        (lambda t: t.replace('CHANNELS', '').replace('6 X', '0 X'), 'broken hierarchy'),
    ],
)
def test_broken_file_says_what_is_wrong(change, message):
    with pytest.raises(ValueError, match=message):
        parse_bvh(change(ARM))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(layout='coco'), "layout='coco' is 2d, but motion capture is 3-D"),
        (dict(fps=-1), 'fps=-1'),
        (dict(), 'holds no BVH file that can be read: .*broken.bvh: no BVH'),
    ],
)
def test_setting_that_cannot_be_is_an_error(tmp_path, kwargs, message):
    (tmp_path / 'broken.bvh').write_text('nothing')
    with pytest.raises(ValueError, match=message):
        BVHConverter(tmp_path, **kwargs)
