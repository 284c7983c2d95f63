"""Small data sets from the files that their authors give."""

import json
import pickle

import numpy as np
import pytest
import scipy.io
from helpers.raw_files import quiet
from helpers.skeletons import standing

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import (
    Florence3DConverter,
    KARDConverter,
    MSRAction3DConverter,
    NWUCLAConverter,
    SBUConverter,
    UTDMHADConverter,
    UTKinectConverter,
    convert,
)
from hiclr_mmaction.converters.sbu import FOLDS
from hiclr_mmaction.skeleton import get_layout


def run(source, tmp_path):
    """Convert in this process; returns the report and the clips by name."""
    out = tmp_path / 'out.pkl'
    report = convert(source, out, workers=1, allow_empty=True, console=quiet())
    content = load_pickle(out)
    return report, {a['frame_dir']: a for a in content['annotations']}, content


def body(frames=6, joints=20, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, joints, 3)).round(4) + 2


class TestNWUCLA:
    def write(self, folder, name, **changes):
        joints = body(seed=len(name) + sum(map(ord, name)))
        content = dict(file_name=name, skeletons=joints.tolist(), label=1)
        (folder / f'{name}.json').write_text(json.dumps(dict(content, **changes)))
        return joints

    def test_name_tells_label_subject_and_view(self, tmp_path):
        joints = self.write(tmp_path, 'a11_s02_e03_v03')
        _, clips, content = run(NWUCLAConverter(tmp_path), tmp_path)
        clip = clips['a11_s02_e03_v03']
        np.testing.assert_array_equal(clip['keypoint'][0], joints.astype(np.float32))
        assert (clip['label'], clip['subject'], clip['camera']) == (8, 2, 3)
        assert content['classes'][8] == 'throw'
        assert content['layout'] == 'kinect20'

    def test_views_1_and_2_are_for_training(self, tmp_path):
        for view in (1, 2, 3):
            self.write(tmp_path, f'a01_s01_e00_v0{view}')
        _, _, content = run(NWUCLAConverter(tmp_path), tmp_path)
        assert content['split'] == dict(
            xview_train=['a01_s01_e00_v01', 'a01_s01_e00_v02'],
            xview_val=['a01_s01_e00_v03'],
        )

    def test_what_cannot_be_used_is_left_out_with_its_reason(self, tmp_path):
        self.write(tmp_path, 'a01_s01_e00_v01')
        self.write(tmp_path, 'a07_s01_e00_v01')
        self.write(tmp_path, 'a02_s01_e00_v01', skeletons=[[[1, 2, 3]], [[1, 2]]])
        self.write(tmp_path, 'a03_s01_e00_v01', skeletons=body(joints=19).tolist())
        (tmp_path / 'a04_s01_e00_v01.json').write_text('{"skeletons": [')
        (tmp_path / 'a05_s01_e00_v01.json').write_text('[]')
        (tmp_path / 'lists.json').write_text('{}')
        report, clips, _ = run(NWUCLAConverter(tmp_path), tmp_path)
        assert list(clips) == ['a01_s01_e00_v01']
        assert set(report.reasons) == {
            'unknown action', 'uneven frames', 'wrong joint count', 'not JSON',
            'no skeletons',
        }  # fmt: skip

    def test_real_set_goes_to_files_and_back(self, data_dir, tmp_path):
        real = pickle.loads((data_dir / 'nw_ucla_3d.pkl').read_bytes())
        clips = real['annotations'][::29]
        for clip in clips:
            content = dict(skeletons=clip['keypoint'][0].astype(float).tolist())
            (tmp_path / f'{clip["frame_dir"]}.json').write_text(json.dumps(content))
        _, converted, content = run(NWUCLAConverter(tmp_path), tmp_path)
        assert len(converted) == len(clips) > 40
        for clip in clips:
            ours = converted[clip['frame_dir']]
            assert ours['label'] == clip['label']
            np.testing.assert_array_equal(ours['keypoint'], clip['keypoint'])
            for split in ('xview_train', 'xview_val'):
                inside = clip['frame_dir'] in real['split'][split]
                assert (clip['frame_dir'] in content['split'][split]) == inside


# The published order of the lines of a frame in MSR-Action3D's files.
LINES = (
    'left shoulder', 'right shoulder', 'shoulder center', 'spine', 'left hip',
    'right hip', 'hip center', 'left elbow', 'right elbow', 'left wrist', 'right wrist',
    'left hand', 'right hand', 'left knee', 'right knee', 'left ankle', 'right ankle',
    'left foot', 'right foot', 'head',
)  # fmt: skip


def native(keypoint):
    """Joints of kinect20 in the order of MSR-Action3D's files."""
    return keypoint[:, [get_layout('kinect20').joints.index(name) for name in LINES]]


class TestMSRAction3D:
    def write(self, folder, name, keypoint):
        rows = native(keypoint).reshape(-1, 3)
        lines = [f'{x}\t{y}\t{z}\t0.75' for x, y, z in rows.astype(float).tolist()]
        path = folder / f'{name}_skeleton3D.txt'
        path.write_text('\r\n'.join(lines) + '\r\n')
        return path

    def test_joints_are_put_into_the_layouts_order(self, tmp_path):
        joints = body()
        self.write(tmp_path, 'a20_s03_e01', joints)
        _, clips, content = run(MSRAction3DConverter(tmp_path), tmp_path)
        clip = clips['a20_s03_e01']
        np.testing.assert_array_equal(clip['keypoint'][0], joints.astype(np.float32))
        assert (clip['label'], clip['subject']) == (19, 3)
        assert content['split']['xsub_train'] == ['a20_s03_e01']
        assert 'as1_val' not in content['split']

    def test_frames_without_a_person_are_left_out_and_noted(self, tmp_path):
        joints = body()
        joints[2:4] = 0
        self.write(tmp_path, 'a01_s02_e01', joints)
        report, clips, content = run(MSRAction3DConverter(tmp_path), tmp_path)
        assert clips['a01_s02_e01']['total_frames'] == 4
        assert report.notes == {'frames without a person, left out': 1}
        assert content['split']['xsub_val'] == ['a01_s02_e01']

    def test_what_cannot_be_used_is_left_out_with_its_reason(self, tmp_path):
        self.write(tmp_path, 'a01_s01_e01', body())
        path = self.write(tmp_path, 'a02_s01_e01', body())
        path.write_text(path.read_text()[:-30])
        self.write(tmp_path, 'a03_s01_e01', np.full((3, 20, 3), np.nan))
        self.write(tmp_path, 'a21_s01_e01', body())
        (tmp_path / 'a04_s01_e01_skeleton3D.txt').write_text('')
        (tmp_path / 'a05_s01_e01_skeleton3D.txt').write_text('x y z\n')
        self.write(tmp_path, 'a06_s01_e01', np.zeros((3, 20, 3)))
        report, clips, _ = run(MSRAction3DConverter(tmp_path), tmp_path)
        assert list(clips) == ['a01_s01_e01']
        assert len(report.skipped) == 6
        assert {'truncated', 'unknown action', 'not a number'} <= set(report.reasons)

    def test_real_set_goes_to_files_and_back(self, data_dir, tmp_path):
        real = pickle.loads((data_dir / 'msr_action3d_3d.pkl').read_bytes())
        for clip in real['annotations'][::7]:
            self.write(tmp_path, clip['frame_dir'][:11], clip['keypoint'][0])
        _, converted, content = run(MSRAction3DConverter(tmp_path), tmp_path)
        assert len(converted) == 80
        for clip in real['annotations'][::7]:
            ours = converted[clip['frame_dir'][:11]]
            assert ours['label'] == clip['label']
            np.testing.assert_array_equal(ours['keypoint'], clip['keypoint'])
        chosen = {c['frame_dir'] for c in real['annotations'][::7]}
        for split, names in content['split'].items():
            expected = {n[:11] for n in real['split'][split] if n in chosen}
            assert set(names) == expected, split


class TestUTDMHAD:
    def write(self, folder, name, keypoint, key='d_skel'):
        array = keypoint[:, [3, 2, 1, 0, *range(4, 20)]].transpose(1, 2, 0)
        scipy.io.savemat(folder / f'{name}_skeleton.mat', {key: array})

    def test_trunk_is_turned_round_and_the_name_tells_the_rest(self, tmp_path):
        joints = body()
        self.write(tmp_path, 'a27_s8_t4', joints)
        self.write(tmp_path, 'a1_s1_t1', joints[:1])
        _, clips, content = run(UTDMHADConverter(tmp_path), tmp_path)
        clip = clips['a27_s8_t4']
        np.testing.assert_array_equal(clip['keypoint'][0], joints.astype(np.float32))
        assert (clip['label'], clip['subject']) == (26, 8)
        assert content['classes'][26] == 'squat'
        assert clips['a1_s1_t1']['total_frames'] == 1
        assert content['split'] == dict(xsub_train=['a1_s1_t1'], xsub_val=['a27_s8_t4'])

    def test_what_cannot_be_used_is_left_out_with_its_reason(self, tmp_path):
        self.write(tmp_path, 'a1_s1_t1', body())
        self.write(tmp_path, 'a2_s1_t1', body(), key='other')
        self.write(tmp_path, 'a28_s1_t1', body())
        (tmp_path / 'a3_s1_t1_skeleton.mat').write_bytes(b'not a file of MATLAB')
        scipy.io.savemat(
            tmp_path / 'a4_s1_t1_skeleton.mat', dict(d_skel=np.ones((3, 4)))
        )
        report, clips, _ = run(UTDMHADConverter(tmp_path), tmp_path)
        assert list(clips) == ['a1_s1_t1']
        assert set(report.reasons) == {
            'no skeletons', 'unknown action', 'no MATLAB file', 'wrong shape',
        }  # fmt: skip


def person(frames=6):
    """A person who faces the sensor, as `openni15`: ``(T, 15, 3)``, metres."""
    joints = standing(frames)[0]
    return joints[:, [3, 20, 1, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19]]


class TestKARD:
    def write(self, folder, name, joints):
        # Its joints: head, neck, right arm, left arm, torso, right leg, left leg.
        order = [0, 1, 6, 7, 8, 3, 4, 5, 2, 12, 13, 14, 9, 10, 11]
        rows = (joints[:, order] * [-1000, 1000, 1000]).reshape(-1, 3)
        text = '\n'.join(' '.join(map(repr, row)) for row in rows.tolist())
        (folder / f'{name}_realworld.txt').write_text(text)

    def test_joints_become_openni15_in_metres_with_left_at_the_left(self, tmp_path):
        self.write(tmp_path, 'a18_s02_e03', person())
        (tmp_path / 'a18_s02_e03_screen.txt').write_text('1 2 3')
        _, clips, content = run(KARDConverter(tmp_path), tmp_path)
        assert content['layout'] == 'openni15'
        clip = clips['a18_s02_e03']
        np.testing.assert_allclose(clip['keypoint'][0], person(), atol=1e-6)
        assert (clip['label'], clip['subject'], clip['take']) == (17, 2, 3)
        assert content['split']['xsub_val'] == content['split']['loso02_val']

    def test_what_cannot_be_used_is_left_out_with_its_reason(self, tmp_path):
        self.write(tmp_path, 'a01_s01_e01', person())
        self.write(tmp_path, 'a19_s01_e01', person())
        self.write(tmp_path, 'a02_s01_e01', np.zeros((3, 15, 3)))
        (tmp_path / 'a03_s01_e01_realworld.txt').write_text('1 2 3\n4')
        (tmp_path / 'a04_s01_e01_realworld.txt').write_text('x')
        report, clips, _ = run(KARDConverter(tmp_path), tmp_path)
        assert list(clips) == ['a01_s01_e01']
        assert len(report.skipped) == 4
        assert {'unknown action', 'truncated', 'not a number'} <= set(report.reasons)

    def test_real_set_goes_to_files_and_back(self, data_dir, tmp_path):
        real = pickle.loads((data_dir / 'kard_3d.pkl').read_bytes())
        for clip in real['annotations'][::7]:
            self.write(tmp_path, clip['frame_dir'], clip['keypoint'][0].astype(float))
        _, converted, content = run(KARDConverter(tmp_path), tmp_path)
        check_same(real, real['annotations'][::7], converted, content['split'])


class TestFlorence3D:
    def write(self, folder, clips):
        lines = [
            ' '.join(map(repr, [video, actor, action, *(1000 * row).tolist()]))
            for (video, actor, action), joints in clips.items()
            for row in joints.reshape(len(joints), 45)
        ]
        path = folder / 'Florence_dataset_WorldCoordinates.txt'
        path.write_text('\n'.join(lines) + '\n')
        return path

    def test_one_file_holds_all_clips(self, tmp_path):
        clips = {(1, 1, 9): person(3), (2, 4, 1): person(5)}
        for where in (self.write(tmp_path, clips), tmp_path):
            _, converted, content = run(Florence3DConverter(where), tmp_path)
            assert list(converted) == ['a01_s04_id002', 'a09_s01_id001']
            clip = converted['a01_s04_id002']
            np.testing.assert_allclose(clip['keypoint'][0], person(5), atol=1e-6)
            assert (clip['label'], clip['subject']) == (0, 4)
            assert content['split']['loso04_val'] == ['a01_s04_id002']
            (tmp_path / 'out.pkl').unlink()

    @pytest.mark.parametrize(
        ('text', 'message'),
        [('1 2\n', 'truncated'), ('a b', 'not a number'), ('0.5 ' * 48, 'is not Flor')],
    )
    def test_other_file_is_an_error_that_names_it(self, tmp_path, text, message):
        (tmp_path / 'Florence_dataset_WorldCoordinates.txt').write_text(text)
        with pytest.raises(ValueError, match=f'Florence_dataset.*{message}'):
            run(Florence3DConverter(tmp_path), tmp_path)

    def test_missing_file_is_an_error(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='does not exist; put'):
            run(Florence3DConverter(tmp_path), tmp_path)

    def test_real_set_goes_to_files_and_back(self, data_dir, tmp_path):
        real = pickle.loads((data_dir / 'florence3d_3d.pkl').read_bytes())
        clips = {
            (int(c['frame_dir'][-3:]), c['subject'], c['label'] + 1): c['keypoint'][0]
            for c in real['annotations']
        }
        self.write(tmp_path, {k: v.astype(float) for k, v in clips.items()})
        _, converted, content = run(Florence3DConverter(tmp_path), tmp_path)
        check_same(real, real['annotations'], converted, content['split'])


class TestUTKinect:
    def write(self, folder, labels, **recordings):
        (folder / 'actionLabel.txt').write_text(labels)
        for name, frames in recordings.items():
            lines = [
                ' '.join(map(repr, [number, *joints.reshape(-1).tolist()]))
                for number, joints in frames
            ]
            (folder / f'joints_{name}.txt').write_text('\n'.join(lines) + '\n')

    def test_actions_are_cut_out_by_their_frames(self, tmp_path):
        joints = body(frames=6)
        numbered = [(2 * t + 10, frame) for t, frame in enumerate(joints)]
        numbered.insert(3, numbered[2])  # some frames stand twice
        labels = 's02_e01 \nwalk: 12 16\ncarry: NaN NaN\nclapHands: 17 90 \n'
        self.write(tmp_path, labels, s02_e01=numbered)
        _, clips, content = run(UTKinectConverter(tmp_path), tmp_path)
        assert list(clips) == ['a01_s02_e01', 'a10_s02_e01']
        clip = clips['a01_s02_e01']
        np.testing.assert_array_equal(
            clip['keypoint'][0], joints[1:4].astype(np.float32)
        )
        assert (clip['label'], clip['subject'], clip['take']) == (0, 2, 1)
        assert clips['a10_s02_e01']['total_frames'] == 2
        assert content['split']['xsub_val'] == list(clips)

    def test_what_cannot_be_used_is_left_out_with_its_reason(self, tmp_path):
        labels = 's01_e01\nwalk: 1 3\nthrow: 90 99\npush: 3 2\ns01_e02\npull: 1 2\n'
        frames = list(enumerate(body(frames=6)))
        self.write(tmp_path, labels, s01_e01=frames)
        report, clips, _ = run(UTKinectConverter(tmp_path), tmp_path)
        assert list(clips) == ['a01_s01_e01']
        assert set(report.reasons) == {
            'empty interval', 'interval outside the recording', 'cannot be read',
        }  # fmt: skip

    @pytest.mark.parametrize('labels', ['s01_e01\nfly: 1 2\n', 'walk: 1 2\n'])
    def test_other_label_file_is_an_error(self, tmp_path, labels):
        self.write(tmp_path, labels)
        with pytest.raises(ValueError, match='actionLabel.txt: .* is not an action'):
            run(UTKinectConverter(tmp_path), tmp_path)

    def test_folder_without_label_file_is_an_error(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='has no actionLabel.txt'):
            run(UTKinectConverter(tmp_path), tmp_path)

    def test_real_set_goes_to_files_and_back(self, data_dir, tmp_path):
        real = pickle.loads((data_dir / 'utkinect_3d.pkl').read_bytes())
        names = [
            'walk', 'sitDown', 'standUp', 'pickUp', 'carry', 'throw', 'push', 'pull',
            'waveHands', 'clapHands',
        ]  # fmt: skip
        recordings, labels = {}, {}
        for clip in real['annotations']:
            video = clip['frame_dir'][4:]
            frames = recordings.setdefault(video, [])
            first = len(frames)
            joints = clip['keypoint'][0].astype(float)
            frames += [(first + t, frame) for t, frame in enumerate(joints)]
            labels.setdefault(video, [video]).append(
                f'{names[clip["label"]]}: {first} {len(frames) - 1}'
            )
        text = '\n'.join('\n'.join(lines) for lines in labels.values())
        self.write(tmp_path, text, **recordings)
        _, converted, content = run(UTKinectConverter(tmp_path), tmp_path)
        check_same(real, real['annotations'], converted, content['split'])


class TestSBU:
    def write(self, folder, name, persons):
        joints = np.stack(persons, axis=1)
        normalised = (joints * 1000 - [1280, 960, 0]) / [-2560, -1920, 1280]
        normalised[~joints.any(axis=(2, 3))] = 0
        path = folder / name / 'skeleton_pos.txt'
        path.parent.mkdir(parents=True)
        rows = normalised.reshape(len(joints), 90).tolist()
        lines = [','.join(map(repr, [t, *row])) for t, row in enumerate(rows)]
        path.write_text('\n'.join(lines))

    def test_two_persons_are_brought_upright_in_metres(self, tmp_path):
        other = person() + [1, 0, 0]
        other[4:] = 0
        self.write(tmp_path, 's01s02/08/001', [person(), other])
        self.write(tmp_path, 's04s02/01/002', [person(), other])
        _, clips, content = run(SBUConverter(tmp_path), tmp_path)
        clip = clips['s01s02_08_001']
        np.testing.assert_allclose(
            clip['keypoint'], np.stack([person(), other]), atol=1e-5
        )
        assert (clip['label'], clip['pair'], clip['take']) == (7, 's01s02', 1)
        assert content['split']['fold1_val'] == ['s01s02_08_001']
        assert content['split']['fold5_train'] == ['s01s02_08_001']
        assert 'fold2_val' not in content['split']

    def test_folds_share_no_pair_and_cover_all(self):
        pairs = [pair for fold in FOLDS.values() for pair in fold]
        assert len(pairs) == len(set(pairs)) == 21

    def test_authors_own_numbers_are_a_person(self, tmp_path):
        # Head, neck, torso, left and right shoulder, left and right foot of the person
        # on the left, of a frame of the set.
        a = np.zeros((15, 3))
        a[[0, 1, 2, 3, 6, 11, 14]] = [
            (0.287, 0.368, 1.941), (0.267, 0.469, 1.880), (0.248, 0.577, 1.819),
            (0.272, 0.498, 1.994), (0.262, 0.439, 1.767), (0.280, 1.167, 1.793),
            (0.244, 1.121, 1.575),
        ]  # fmt: skip
        folder = tmp_path / 's01s02' / '01' / '001'
        folder.mkdir(parents=True)
        row = [1, *a.reshape(-1), *a.reshape(-1)]
        (folder / 'skeleton_pos.txt').write_text(','.join(map(str, row)))
        _, clips, _ = run(SBUConverter(tmp_path), tmp_path)
        joints = clips['s01s02_01_001']['keypoint'][0, 0]
        assert 1.3 < joints[0, 1] - joints[[11, 14], 1].mean() < 1.7
        # The person looks to the right of the picture, which is -x: the left shoulder
        # is the one further from the sensor.
        assert joints[3, 2] - joints[6, 2] > 0.2


def check_same(real, clips, converted, split):
    """Clips, labels, subjects and splits are those of a real pickle."""
    assert set(converted) == {clip['frame_dir'] for clip in clips}
    for clip in clips:
        ours = converted[clip['frame_dir']]
        assert (ours['label'], ours['subject']) == (clip['label'], clip['subject'])
        np.testing.assert_allclose(ours['keypoint'], clip['keypoint'], atol=1e-6)
    for name, names in split.items():
        if name in real['split']:
            assert set(names) == set(real['split'][name]) & set(converted), name


@pytest.mark.parametrize(
    'source',
    [
        KARDConverter,
        MSRAction3DConverter,
        NWUCLAConverter,
        SBUConverter,
        UTDMHADConverter,
    ],
)
def test_folder_without_files_is_an_error(source, tmp_path):
    with pytest.raises(ValueError, match='has no clip to convert'):
        convert(source(tmp_path), tmp_path / 'out.pkl', console=quiet())
