"""One clip is read from whatever the converters read."""

import json
import pickle

import numpy as np
import pytest
from helpers.raw_files import write_ntu
from helpers.skeletons import coco_annotations, moving_person

from hiclr_mmaction.converters import read_clip
from hiclr_mmaction.datasets.synthetic import pose_annotations

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
