"""NW-UCLA, MSR-Action3D and UTD-MHAD from the files that their authors give."""

import json
import pickle

import numpy as np
import pytest
import scipy.io
from helpers.source_files import quiet

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import (
    MSRAction3DConverter,
    NWUCLAConverter,
    UTDMHADConverter,
    convert,
)
from hiclr_mmaction.converters.msr_action3d import _LINES
from hiclr_mmaction.skeleton import get_layout


def run(source, tmp_path):
    """Convert in this process; returns the report and the clips by name."""
    out = tmp_path / 'out.pkl'
    report = convert(source, out, workers=1, console=quiet())
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
            'unknown action', 'uneven frames', 'wrong joint count', 'no JSON',
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


def native(keypoint):
    """Joints of kinect20 in the order of MSR-Action3D's files."""
    out = np.empty_like(keypoint)
    out[:, _LINES] = keypoint
    return out


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
        assert content['split']['as1_val'] == []

    def test_order_of_the_files_is_the_published_one(self):
        names = get_layout('kinect20').joints
        native_names = dict(zip(_LINES, names, strict=True))
        assert native_names[0] == 'left shoulder'
        assert native_names[19] == 'head'
        assert native_names[6] == 'hip center'
        assert sorted(_LINES) == list(range(20))

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


@pytest.mark.parametrize(
    'source', [NWUCLAConverter, MSRAction3DConverter, UTDMHADConverter]
)
def test_folder_without_files_is_an_error(source, tmp_path):
    with pytest.raises(ValueError, match='has no clip to convert'):
        convert(source(tmp_path), tmp_path / 'out.pkl', console=quiet())
