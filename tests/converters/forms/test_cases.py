"""Files of people who asked for help, each with the right result or the true cause."""

import json

import numpy as np
import pytest
from helpers.own_files import CASES, WORLD
from helpers.raw_files import quiet

from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import CustomConverter, convert
from hiclr_mmaction.skeleton import get_layout

MOUSE = dict(
    name='mouse', joints=['nose', 'leftear', 'rightear', 'tailbase'],
    bones=[(1, 0), (2, 0), (3, 0)], center=0, coordinates='2d',
)  # fmt: skip


def clips(case, tmp_path, layout, **settings):
    out = tmp_path / 'out.pkl'
    converter = CustomConverter(CASES / case / 'clips', layout=layout, **settings)
    convert(converter, out, workers=1, console=quiet())
    return {a['frame_dir']: a for a in load_pickle(out)['annotations']}


def only(case, tmp_path, layout, **settings):
    """The only clip's keypoint."""
    (clip,) = clips(case, tmp_path, layout, **settings).values()
    return clip['keypoint']


def joint(keypoint, layout, name):
    return keypoint[..., get_layout(layout).joints.index(name), :]


def test_images_of_alphapose_are_in_order_with_the_missing_one(tmp_path):
    clip = only('alphapose', tmp_path, 'coco')
    assert clip.shape == (1, 12, 17, 3)
    assert clip.any((0, 2, 3)).tolist() == [t != 5 for t in range(12)]
    there = np.delete(np.arange(12), 5)
    # The body moves by 10 pixels a frame.
    np.testing.assert_allclose(clip[0, there, 0, 0], 197.17 + 10 * there, rtol=1e-5)


def test_persons_of_alphapose_who_cross_keep_their_identity(tmp_path):
    clip = only('alphapose_idx', tmp_path, 'coco')
    steps = np.diff(clip[:, :, 0, 0], axis=1)
    assert len(clip) == 2
    assert (np.sign(steps) == np.sign(steps[:, :1])).all()
    assert set(np.sign(steps[:, 0])) == {-1, 1}


@pytest.mark.parametrize(
    ('case', 'shape'),
    [
        ('coco_gt', (1, 5)),
        ('mmpose', (2, 30)),
        ('mmpose_image_folder', (1, 3)),
        ('mmpose_inferencer', (1, 30)),
        ('tfjs_frames', (1, 30)),
        ('wide_named_order', (1, 30)),
    ],
)
def test_a_body_in_a_picture_stands_upright_with_its_left_on_the_right(
    case, shape, tmp_path
):
    clip = only(case, tmp_path, 'coco')
    assert clip.shape == (*shape, 17, 3)
    seen = clip[0][clip[0].any((1, 2))]
    assert (joint(seen, 'coco', 'nose') < joint(seen, 'coco', 'left ankle'))[:, 1].all()
    left, right = (
        joint(seen, 'coco', f'{side} shoulder') for side in ('left', 'right')
    )
    assert (left[:, 0] > right[:, 0]).all()
    assert ((seen[..., 2] > 0) & (seen[..., 2] <= 1)).all()
    # All of these are of the same synthetic person.
    np.testing.assert_allclose(seen[0, 0, :2], [964.53, 309.92], atol=0.01)


def test_deeplabcut(tmp_path):
    clip = only('dlc', tmp_path, MOUSE)
    np.testing.assert_allclose(clip[0, 1, 2], [187.36, 97.36, 0.97], rtol=1e-6)
    assert clip.shape == (1, 30, 4, 3)


@pytest.mark.parametrize('case', ['kinect_dump', 'kinect_lsl_nopre'])
def test_tables_of_kinect_v2(case, tmp_path):
    clip = only(case, tmp_path, 'nturgb+d')
    assert clip.shape == (1, 30, 25, 3)
    head, feet = clip[0, :, 3, 1], clip[0, :, [15, 19], 1]
    height = head - feet.mean(0)
    assert ((height > 1.2) & (height < 2)).all()
    right, left = (joint(clip, 'nturgb+d', f'{s} shoulder') for s in ('right', 'left'))
    assert (right[..., 0] > left[..., 0]).all()  # faces the camera
    np.testing.assert_allclose(clip[0, 0, 0], [-0.0135, -0.0788, 2.7186], atol=1e-4)


def test_persons_in_a_column_body(tmp_path):
    clip = only('long_bodyid_columns', tmp_path, 'nturgb+d')
    assert clip.shape == (2, 30, 25, 3)
    np.testing.assert_allclose(clip[1, -1, -1], [1.116, -0.048, 2.517], rtol=1e-6)


@pytest.mark.parametrize(
    ('case', 'layout'),
    [
        *((f'mp_{name}', 'mediapipe') for name in ('camel', 'dictkey', 'keypoints')),
        ('mp_image_landmarks_tasks', 'mediapipe'),
        ('mp_both', 'mediapipe'),
        ('mp_class', 'mediapipe'),
        ('mp_xyz_noscore', 'mediapipe'),
        ('mp_both', WORLD),
    ],
)
def test_landmarks_of_mediapipe(case, layout, tmp_path):
    clip = only(case, tmp_path, layout)
    assert clip.shape == (1, clip.shape[1], 33, 3)
    if layout == 'mediapipe':
        assert ((clip[..., 2] > 0) & (clip[..., 2] <= 1)).all()
        assert (clip[..., 2] == 1).all() == (case == 'mp_xyz_noscore')
    else:
        frames = json.loads((CASES / case / 'clips' / 'a.json').read_text())
        first = frames[0]['world_landmarks'][11]
        expected = [first['x'], -first['y'], -first['z']]
        np.testing.assert_allclose(clip[0, 0, 11], expected, rtol=1e-6)


def test_kinetics_skeleton_has_its_label(tmp_path):
    clip = clips('kinetics_stgcn', tmp_path, 'openpose')['vid_a']
    assert clip['label'] == 12
    assert clip['keypoint'].shape == (1, 8, 18, 3)
    np.testing.assert_allclose(clip['keypoint'][0, 0, 1], [0.225, 0.21, 0.9], rtol=1e-6)


@pytest.mark.parametrize(
    ('case', 'layout', 'message'),
    [
        (
            'long_20_of_25',
            'nturgb+d',
            'missing joints: the file has no joint 20, 21, 22',
        ),
        (
            'long_frame_gap',
            'nturgb+d',
            'frames far apart: column frame .* call it time',
        ),
        (
            'long_frame_seconds',
            'nturgb+d',
            'column frame holds 0.0333; .* call it time',
        ),
        ('long_from_1', 'nturgb+d', 'wrong joint: 1 to 25, not 0 to 24; .* from 0'),
        ('utf16', 'nturgb+d', 'missing joints: the file has no joint 1, 2'),
        (
            'mp_camel',
            WORLD,
            'no world landmarks: poseLandmarks are coordinates in the picture',
        ),
    ],
)
def test_what_cannot_be_read_right_is_refused_with_the_cause(
    case, layout, message, tmp_path
):
    with pytest.raises(ValueError, match=message):
        only(case, tmp_path, layout)


def test_other_suffixes_are_named(tmp_path):
    for name in ('a.trc', 'b.npz', 'c.npz', 'd.bvh'):
        (tmp_path / name).write_text('')
    message = 'no file that ends in .csv, .json, .jsonl, .npy; it holds 2 .npz, 1'
    with pytest.raises(ValueError, match=message):
        CustomConverter(tmp_path, layout='coco').clips()
