"""JSON of pose estimators: who is who, in which frame, which number is what."""

import json

import numpy as np
import pytest
from helpers.own_files import FLAT, KINECT_V2, ROD, WORLD, numbers, read

from hiclr_mmaction.converters.forms import Options, read_images
from hiclr_mmaction.datasets.synthetic import make_clip
from hiclr_mmaction.datasets.synthetic.camera import to_coco
from hiclr_mmaction.skeleton import get_layout


@pytest.fixture
def load(tmp_path):
    """Write JSON and read it."""

    def load(content, layout='coco', **options):
        path = tmp_path / 'a.json'
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text)
        return read(path, layout, **options)

    return load


@pytest.fixture(scope='module')
def pair():
    """Two persons before a camera: pixels and score, (2, T, 17, 3)."""
    pixels = to_coco(make_clip('push', 0, 0)).astype(float)
    score = np.random.default_rng(0).uniform(0.4, 1, (*pixels.shape[:-1], 1))
    score[1] /= 2  # the first one is the more certain one
    return np.concatenate([pixels, score], -1).round(4)


def mmpose(persons, **ids):
    """The persons of a frame, (M, V, 3), as MMPose writes them."""
    return [
        dict(
            keypoints=person[:, :2].tolist(),
            keypoint_scores=person[:, 2].tolist(),
            **{key: value[m] for key, value in ids.items()},
        )
        for m, person in enumerate(persons)
    ]


class TestPersons:
    @pytest.mark.parametrize('ids', [{}, dict(track_id=[4, 9])], ids=['near', 'by id'])
    @pytest.mark.parametrize('key', ['instance_info', None])
    def test_they_are_followed_in_any_order_of_the_detector(self, load, pair, ids, key):
        frames = []
        for t in range(pair.shape[1]):
            found = mmpose(pair[:, t], **ids)
            frames.append(
                dict(frame_id=t, instances=found[::-1] if t % 3 == 1 else found)
            )
        out = load({'meta_info': {}, key: frames} if key else frames)
        np.testing.assert_array_equal(out['keypoint'], pair)

    @pytest.mark.parametrize('form', [int, lambda x: [x], lambda x: [[float(x)]], str])
    def test_who_cross_keep_their_identity(self, load, form):
        """Without ids the nearest is taken, who is the other one after the crossing."""
        left, right = (
            np.ones((2, 17, 2)) * [[[0, 0]], [[9, 0]]] + np.arange(17)[:, None]
        )
        rows = [
            dict(
                image_id=f'{t}.jpg',
                idx=form(name),
                keypoints=np.append(
                    start + [t * way, 0], np.ones((17, 1)), 1
                ).ravel().tolist(),
            )
            for t in range(10)
            for name, start, way in [(1, left, 1), (2, right, -1)]
        ]  # fmt: skip
        out = load(rows)['keypoint'][..., 0, 0]
        np.testing.assert_array_equal(
            sorted(out.tolist()), [range(10), range(9, -1, -1)]
        )

    def test_an_id_that_two_have_is_of_no_use(self, load, pair):
        frames = [mmpose(pair[:, t], track_id=[0, 0]) for t in range(pair.shape[1])]
        np.testing.assert_array_equal(load(frames)['keypoint'], pair)

    def test_those_with_the_most_score_are_kept(self, load, pair):
        frames = [mmpose(pair[::-1, t]) for t in range(pair.shape[1])]
        out = load(frames, num_person=1)['keypoint']
        np.testing.assert_array_equal(out[0], pair[0])

    def test_somebody_far_away_is_another_person(self, load):
        near = numbers()[0, 0] * [10, 10, 1]
        frames = [mmpose([near]), mmpose([near + [500, 0, 0]]),
                  mmpose([near + [1, 0, 0], near + [501, 0, 0]])]  # fmt: skip
        out = load(frames, FLAT)['keypoint'].any((2, 3))
        assert sorted(out.tolist()) == [[False, True, True], [True, False, True]]

    def test_a_crowd_is_refused(self, load):
        crowd = mmpose(np.repeat(numbers()[0, :1], 20_000, 0))
        with pytest.raises(ValueError, match='too many persons: 20000 in frame 0'):
            load([crowd], FLAT)


class TestFrames:
    def rows(self, pair, name):
        return [
            dict(image_id=name(t), keypoints=pair[0, t].ravel().tolist(), score=2.9)
            for t in range(12)
            if t != 5
        ]

    @pytest.mark.parametrize(
        'name', [int, '{}.jpg'.format, '{:06d}.png'.format, 'cam2_{}.jpg'.format,
         'walk_{}_cam2.png'.format],
    )  # fmt: skip
    def test_images_are_in_the_order_of_their_numbers_with_gaps(self, load, pair, name):
        out = load(self.rows(pair, name)[::-1])['keypoint'][0]
        expected = pair[0, :12].copy()
        expected[5] = 0
        np.testing.assert_array_equal(out, expected)

    def test_images_without_anybody_are_frames_too(self, load, pair):
        rows = [dict(row, keypoints=np.where(np.arange(51) % 3 == 2, 2.0, row['keypoints'])
                     .tolist()) for row in self.rows(pair, int)]  # fmt: skip
        images = [dict(id=t, file_name=f'{t}.jpg') for t in range(14)]
        out = load(dict(images=images, annotations=rows))['keypoint'][0]
        assert out.any((1, 2)).tolist() == [t not in (5, 12, 13) for t in range(14)]
        assert set(out[0, :, 2]) == {1}  # COCO's flag 2 is not a score

    def test_images_of_several_videos_are_refused(self, load, pair):
        rows = self.rows(pair, 'a/{}.jpg'.format) + self.rows(pair, 'b/{}.jpg'.format)
        with pytest.raises(ValueError, match='images without a number of their own'):
            load(rows)

    @pytest.mark.parametrize('key', ['frame', 'frameId', 'frame_idx', 'timestamp'])
    def test_a_list_of_persons_with_the_frame_of_each(self, load, pair, key):
        rows = [
            {key: 0.5 * t if key == 'timestamp' else t, 'box': [0, 0, 1, 1], **person}
            for t in range(pair.shape[1])
            for person in mmpose(pair[:, t])
        ]
        np.testing.assert_array_equal(load(rows[::-1])['keypoint'], pair)

    def test_a_frame_that_comes_again_is_refused(self, load, pair):
        frames = [dict(frame=t // 2, instances=mmpose(pair[:, t])) for t in range(6)]
        with pytest.raises(ValueError, match='frame 0 comes again'):
            load(frames)

    def test_numbers_that_are_no_frames_are_refused(self, load, pair):
        with pytest.raises(
            ValueError, match='frames far apart: 11 frames are numbered'
        ):
            load(self.rows(pair, lambda t: 7919 * t))

    @pytest.mark.parametrize(
        'wrap',
        [
            lambda frames: frames,
            lambda frames: dict(frames=frames),
            lambda frames: {str(t): frame for t, frame in enumerate(frames)},
            lambda frames: '\n'.join(json.dumps(dict(frame=t, landmarks=f))
                                     for t, f in enumerate(frames)),
            lambda frames: {f'frame_{t}': frames[t] for t in (4, 3, 2, 1, 0)},
            lambda frames: [dict(frame=t, landmarks=f) for t, f in enumerate(frames)],
            lambda frames: [dict(poseLandmarks=frame) for frame in frames],
            lambda frames: [dict(pose_landmarks=[f] if f else []) for f in frames],
            lambda frames: [dict(pose_landmarks=dict(landmark=f) if f else None)
                            for f in frames],
            lambda frames: [dict(keypoints=frame) for frame in frames],
        ],
    )  # fmt: skip
    def test_landmarks_of_mediapipe(self, load, wrap):
        x = numbers(frames=5, joints=33, channels=4)
        frames = [
            [dict(zip(['x', 'y', 'z', 'visibility'], j, strict=True)) for j in frame]
            for frame in x[0].tolist()
        ]
        frames[2] = None
        x[0, 2] = 0
        out = load(wrap(frames), 'mediapipe', image_size=(640, 480))['keypoint']
        np.testing.assert_allclose(out, x[..., [0, 1, 3]] * [640, 480, 1])

    def test_landmarks_without_visibility_have_score_1(self, load):
        frames = [[dict(x=0.5, y=0.5, z=-0.2)] * 33] * 3
        assert (load(frames, 'mediapipe')['keypoint'][..., 2] == 1).all()

    def test_world_landmarks_are_for_space_and_those_of_the_picture_are_not(self, load):
        x = numbers(frames=2, joints=33) - 0.7
        points = [[dict(zip('xyz', j, strict=True)) for j in f] for f in x[0].tolist()]
        frames = [dict(landmarks=[dict(x=0.5, y=0.5, z=0.0)] * 33, world_landmarks=frame)
                  for frame in points]  # fmt: skip
        out = load(frames, WORLD)
        np.testing.assert_allclose(out['keypoint'], x)
        assert out['up'] == '-y'
        assert (load(frames, 'mediapipe')['keypoint'][..., :2] == 0.5).all()
        with pytest.raises(ValueError, match='no world landmarks'):
            load([dict(pose_landmarks=frames[0]['landmarks'])], WORLD)
        with pytest.raises(
            ValueError, match='no world landmarks: all are between 0 and 1'
        ):
            load([frames[0]['landmarks']], WORLD)
        with pytest.raises(ValueError, match='no landmarks in the picture'):
            load([dict(pose_world_landmarks=points[0])], 'mediapipe')


class TestForms:
    @pytest.mark.parametrize('style', ['tfjs', 'posenet', 'poses', 'ultralytics'])
    def test_joints_as_objects(self, load, pair, style):
        names = get_layout('coco').joints
        frames = []
        for person in pair[0]:
            joints = [
                dict(zip(['x', 'y', 'score'], j, strict=True), name=n.replace(' ', '_'))
                for j, n in zip(person.tolist(), names, strict=True)
            ][::-1]  # names, not the order, say which joint it is
            if style == 'posenet':
                joints = [dict(part=j['name'], score=j['score'],
                               position=dict(x=j['x'], y=j['y']))
                          for j in joints]  # fmt: skip
            pose = dict(keypoints=joints, score=0.9)
            if style == 'ultralytics':
                x, y, visible = person.T.tolist()
                pose = dict(name='person', box=dict(x1=0), track_id=3,
                            keypoints=dict(x=x, y=y, visible=visible))  # fmt: skip
            frames.append(dict(poses=[pose]) if style == 'poses' else
                          [pose] if style == 'ultralytics' else pose)  # fmt: skip
        np.testing.assert_array_equal(load(frames)['keypoint'], pair[:1])

    @pytest.mark.parametrize('layout', ['openpose', 'coco'])
    def test_body_25_of_openpose_is_put_to_the_layout_by_name(self, load, layout):
        x = numbers(joints=25)[0, 0]
        out = load(dict(people=[dict(pose_keypoints_2d=x.ravel().tolist())]), layout)
        theirs = get_layout('body_25').joints
        for ours, joint in enumerate(get_layout(layout).joints):
            np.testing.assert_array_equal(
                out['keypoint'][0, 0, ours], x[theirs.index(joint)]
            )
        assert 'joints that are not in the layout' in out['notes']

    @pytest.mark.parametrize('key', ['bodies', 'people'])
    def test_alphapose_as_openpose_writes_it(self, load, key):
        x = numbers(frames=2, joints=18)
        joint = dict(bodies='joints', people='pose_keypoints_2d')[key]
        images = {
            f'{t}.jpg': {
                'version': 'AlphaPose',
                key: [{joint: x[0, i].ravel().tolist()}],
            }
            for i, t in [(1, 10), (0, 9)]
        }
        np.testing.assert_array_equal(load(images, 'openpose')['keypoint'], x)

    def test_files_of_one_image_each(self, tmp_path):
        x = numbers(frames=4, joints=18)
        for t in range(4):
            people = [dict(person_id=[-1], pose_keypoints_2d=x[0, t].ravel().tolist())]
            path = tmp_path / f'{t + 8}_keypoints.json'
            path.write_text(json.dumps(dict(people=people if t != 1 else [])))
        paths = [tmp_path / f'{t + 8}_keypoints.json' for t in range(4)]
        options = Options(get_layout('openpose'))
        out = read_images(paths, options).sample(options)['keypoint']
        x[0, 1] = 0
        np.testing.assert_array_equal(out, x)

    @pytest.mark.parametrize('style', ['node', 'sdk'])
    def test_kinect_v2(self, load, style):
        x = numbers(joints=25)
        frames = []
        for frame in x[0].tolist():
            if style == 'node':
                joints = [dict(jointType=j, **dict(zip(['cameraX', 'cameraY', 'cameraZ'], p,
                          strict=True)), trackingState=2)
                          for j, p in enumerate(frame)][::-1]  # fmt: skip
                bodies = [dict(tracked=True, trackingId='72', joints=joints),
                          dict(tracked=False)]  # fmt: skip
                frames.append(dict(bodies=bodies))
            else:
                joints = {name: dict(Position=dict(zip('XYZ', p, strict=True)),
                                     TrackingState='Tracked')
                          for name, p in zip(KINECT_V2, frame, strict=True)}  # fmt: skip
                frames.append(dict(Bodies=[dict(TrackingId=72, Joints=joints)]))
        out = load(frames, 'nturgb+d')
        np.testing.assert_array_equal(out['keypoint'], x)

    def test_azure_kinect_is_in_millimetres_with_y_down(self, load):
        x = numbers(joints=32) * 1000
        frames = [dict(frame_id=t, bodies=[dict(body_id=1, joint_positions=f)])
                  for t, f in enumerate(x[0].tolist())]  # fmt: skip
        out = load(dict(joint_names=[], frames=frames), 'azure_kinect')
        np.testing.assert_array_equal(out['keypoint'], x)
        assert (out['up'], out['scale']) == ('-y', 0.001)

    def test_mmpose_in_space(self, load):
        x = numbers() + np.arange(3)[:, None]
        frames = [dict(instances=[dict(keypoints=f, keypoint_scores=[0.9] * 3)])
                  for f in x[0].tolist()]  # fmt: skip
        np.testing.assert_array_equal(load(frames, ROD)['keypoint'], x)
        np.testing.assert_array_equal(
            load(frames, FLAT)['keypoint'],
            np.concatenate([x[..., :2], np.full((1, 4, 3, 1), 0.9)], -1),
        )


def test_an_identity_of_no_use_is_none(load):
    person = dict(keypoints=[[1, 2], [1, 3], [1, 4]])
    frames = [dict(instances=[dict(person, track_id=name)]) for name in ({}, None, [])]
    assert load(frames, FLAT)['keypoint'].shape == (1, 3, 3, 3)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{', 'not JSON'),
        ('[' * 100_000, 'not JSON: nested too deeply'),
        ('{}', 'unknown JSON: an object with the keys (none)'),
        ('[]', 'empty: it has no frame'),
        ('{"a": 1}\n{"a": 2', 'not JSON'),
        ('[3]', "unknown JSON: '3' is not a frame"),
        ('{"pose": [1]}', 'unknown JSON: an object with the keys pose; known are'),
        ('[[[]]]', 'no person: nobody is tracked'),
        ('[{"landmarks": [[]]}]', 'no person: nobody is tracked'),
        ('[{"instances": []}, null]', 'no person: nobody is tracked'),
        ('[{"instances": {"keypoints": 3}}]', 'unknown JSON|damaged JSON'),
        ('[{"instances": [{"score": 1}]}]', 'unknown JSON'),
        ('[{"instances": [{"keypoints": null}]}]', 'wrong shape'),
        ('[{"instances": [{"keypoints": [[1, 2], [3]]}]}]', 'not numbers'),
        ('[{"instances": [{"keypoints": [[1, 2]]}]}]', 'wrong joint count: 1 joints'),
        ('[{"instances": [{"keypoints": [[1, 1' + '0' * 400 + ']]}]}]', 'not numbers'),
        ('[{"instances": [{"keypoints": [[1, 2, -3], [1, 2, 0], [1, 2, 9]]}]}]',
         'score out of range: -3 to 9'),
        ('[{"frame": 1e30, "instances": []}, {"frame": 2, "instances": []}]', 'no person'),
    ],
)  # fmt: skip
def test_file_that_cannot_be_used_is_refused(load, text, message):
    with pytest.raises(ValueError, match=message.replace('(none)', r'\(none\)')):
        load(text, FLAT)
