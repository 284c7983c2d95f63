"""One clip is read from whatever the converters read."""

import json
import pickle

import numpy as np
import pytest
from helpers.raw_files import write_ntu
from helpers.skeletons import coco_annotations, moving_person, standing

from hiclr_mmaction.converters import read_clip
from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.skeleton.orientation import Orientation

FEW = dict(actions=['wave'], num_subjects=2, num_val_subjects=1, clips_per_action=1)
CHAIN = dict(joints=['Hips', 'Hips end'], bones=[(1, 0)], center=0, name='two joints')


def test_ntu_file_is_read(tmp_path):
    path = write_ntu(tmp_path, frames=5, seed=3)
    np.testing.assert_allclose(read_clip(path)[0], moving_person(5, 3), atol=1e-6)


def test_arrays_and_tables_are_read(tmp_path):
    joints = moving_person(4)
    np.save(tmp_path / 'clip.npy', joints)
    np.savetxt(tmp_path / 'clip.csv', joints.reshape(4, 75), delimiter=',')
    for name in ('clip.npy', 'clip.csv'):
        np.testing.assert_allclose(read_clip(tmp_path / name)[0], joints, atol=1e-6)


def test_parts_of_an_image_become_pixels_with_scores(tmp_path):
    joints = np.random.default_rng(0).uniform(0.1, 1, (3, 17, 2))
    frames = [[dict(x=x, y=y, visibility=0.5) for x, y in f] for f in joints]
    (tmp_path / 'clip.json').write_text(json.dumps(frames))
    clip = read_clip(tmp_path / 'clip.json', 'coco', image_size=(640, 480))
    assert clip.shape == (1, 3, 17, 3)


def test_bvh_file_is_read_in_metres(tmp_path):
    (tmp_path / 'clip.bvh').write_text(
        'HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition '
        'Zposition\nEnd Site\n{\nOFFSET 0 50 0\n}\n}\nMOTION\nFrames: 2\n'
        'Frame Time: 0.1\n0 100 0\n0 100 30\n'
    )
    clip = read_clip(tmp_path / 'clip.bvh', CHAIN)
    np.testing.assert_allclose(clip[0, 1], [[0, 1, 0.3], [0, 1.5, 0.3]], atol=1e-6)


@pytest.mark.parametrize(
    ('content', 'layout'),
    [(pose_annotations(**FEW), 'nturgb+d'), (coco_annotations(**FEW), 'coco')],
)
def test_a_clip_of_a_pose_pickle_is_read_by_its_index(content, layout, tmp_path):
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(content))
    clip = read_clip(path, layout, index=1)
    stored = content['annotations'][1]['keypoint']
    np.testing.assert_allclose(clip[..., : stored.shape[-1]], stored, atol=1e-6)
    assert clip.shape[-1] == 3
    with pytest.raises(ValueError, match='index=2: it has clips 0 to 1'):
        read_clip(path, layout, index=2)


@pytest.mark.parametrize(
    ('name', 'layout', 'message'),
    [
        ('clip.npy', 'kinect20', "25 joints, but layout 'kinect20' has 20"),
        ('clip.txt', 'nturgb+d', "suffix '.txt' is unknown; known are .skeleton, .csv"),
        ('list.pkl', 'nturgb+d', 'not a pose pickle'),
        ('bad.skeleton', 'nturgb+d', 'bad.skeleton: not a skeleton file'),
    ],
)
def test_what_cannot_be_read_is_named(name, layout, message, tmp_path):
    np.save(tmp_path / 'clip.npy', moving_person(4))
    (tmp_path / 'clip.txt').touch()
    (tmp_path / 'list.pkl').write_bytes(pickle.dumps([1]))
    (tmp_path / 'bad.skeleton').write_text('hello\n')
    with pytest.raises(ValueError, match=message):
        read_clip(tmp_path / name, layout)


class TestOrientation:
    """A clip that lies in millimetres, in a file that does not say so."""

    @pytest.fixture
    def lying(self, tmp_path):
        person = standing()
        turned = np.stack([person[..., 1], -person[..., 0], person[..., 2]], -1)
        np.save(tmp_path / 'a.npy', turned[0] * 1000)
        return tmp_path / 'a.npy', turned

    def test_alone_it_is_turned_upright(self, lying):
        path, _ = lying
        np.testing.assert_allclose(read_clip(path), standing(), atol=1e-5)

    @pytest.mark.parametrize('usual', [Orientation('y', 0.001), Orientation('y', 1)])
    def test_it_lies_where_training_data_had_y_up(self, lying, usual):
        path, turned = lying
        np.testing.assert_allclose(read_clip(path, usual=usual), turned, atol=1e-5)

    def test_what_is_said_counts_more(self, lying):
        path, turned = lying
        clip = read_clip(path, up='y', scale=0.01, usual=Orientation('x', 1))
        np.testing.assert_allclose(clip, turned * 10, atol=1e-4)

    def test_in_a_picture_there_is_neither(self, lying):
        with pytest.raises(
            ValueError, match="up=z, scale=None, but layout 'coco' is 2d"
        ):
            read_clip(lying[0], 'coco', up='z')
