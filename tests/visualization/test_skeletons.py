"""A drawn clip is a picture of the promised size that shows the skeleton."""

import matplotlib.image
import numpy as np
import pytest
from helpers.skeletons import standing
from matplotlib.figure import Figure
from PIL import Image

from hiclr_mmaction.datasets.synthetic.camera import to_coco
from hiclr_mmaction.skeleton.layouts import get_layout
from hiclr_mmaction.visualization import Stage, animate_clips, draw_clip, to_pixels


def picture(keypoint, tmp_path, **settings):
    path = tmp_path / 'clip.png'
    draw_clip(keypoint, path, **settings)
    return matplotlib.image.imread(path)[..., :3]


def bluish(image):
    return (image[..., 2] > image[..., 0] + 0.2).nonzero()


def reddish(image):
    return (image[..., 0] > image[..., 2] + 0.2).nonzero()


def test_picture_has_one_figure_a_frame_and_the_promised_size(tmp_path):
    image = picture(standing(), tmp_path, num_frames=4, frame_size=1.0, dpi=80)
    assert image.shape == (100, 320, 3)
    for column in range(4):
        assert (image[:, column * 80 : (column + 1) * 80] < 0.6).sum() > 50


def test_short_clip_is_drawn_with_the_frames_it_has(tmp_path):
    image = picture(standing(2), tmp_path, num_frames=8, frame_size=1.0, dpi=80)
    assert image.shape == (100, 160, 3)


def test_left_side_is_blue_and_to_the_right_of_who_faces_the_sensor(tmp_path):
    image = picture(standing(1), tmp_path)
    blue, red = bluish(image)[1], reddish(image)[1]
    assert blue.max() > red.max() + 5
    assert blue.min() > red.min() + 5


def test_y_is_up_and_scales_are_equal(tmp_path):
    body = standing(1)
    body[:, :, [6, 7, 21, 22], 1] = 1.4  # the left hand goes up
    image = picture(body, tmp_path)
    assert bluish(image)[0].min() < reddish(image)[0].min()
    rows, columns = reddish(image)
    # Red is 0.2 m (hip to wrist) to 0.3 m wide from its shoulder, 1.35 m high.
    drawn = np.ptp(rows) / np.ptp(columns)
    assert drawn == pytest.approx(1.30 / 0.3, rel=0.1)


def test_both_persons_are_drawn_and_an_absent_one_is_not(tmp_path):
    one = standing(1)
    absent = np.concatenate([one, np.zeros_like(one)])
    np.testing.assert_array_equal(picture(one, tmp_path), picture(absent, tmp_path))
    two = np.concatenate([one, one + [0.8, 0, 0]])
    columns = np.unique(reddish(picture(two, tmp_path))[1])
    assert (np.diff(columns) > 10).any()


def test_joint_that_is_not_finite_is_left_out(tmp_path):
    body = standing(1)
    body[:, :, 13] = np.nan
    assert len(bluish(picture(body, tmp_path))[0]) > 0


def test_clip_without_person_axis_and_other_layout_is_drawn(tmp_path):
    body = np.random.default_rng(0).normal(size=(3, 20, 3))
    image = picture(body, tmp_path, layout=get_layout('kinect20'))
    assert (image < 0.6).sum() > 100


class TestImage:
    """Skeletons in an image: pixels and scores, y down."""

    @pytest.fixture
    def body(self):
        """The stick figure before a camera, (1, 1, 17, 3)."""
        pixels = to_coco(standing(1))
        return np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1)

    def test_stands_upright_with_the_left_side_to_the_right(self, body, tmp_path):
        image = picture(body, tmp_path, layout='coco')
        assert bluish(image)[1].max() > reddish(image)[1].max() + 5
        body[..., 9, 1] = body[..., 0, 1] - 300  # the left wrist over the head
        image = picture(body, tmp_path, layout='coco')
        assert bluish(image)[0].min() < reddish(image)[0].min() - 5

    def test_is_the_picture_of_the_same_body_in_space(self, body, tmp_path):
        space = body * [-1, -1, 1]
        layout = dict(base='coco', coordinates='3d')
        np.testing.assert_array_equal(
            picture(body, tmp_path, layout='coco'),
            picture(space, tmp_path, layout=layout),
        )

    def test_joint_with_score_0_is_left_out_and_a_low_score_pale(self, body, tmp_path):
        full = picture(body, tmp_path, layout='coco')
        body[..., 15, 2] = 0.3
        pale = picture(body, tmp_path, layout='coco')
        body[..., 15, 2] = 0
        without = picture(body, tmp_path, layout='coco')
        assert full.sum() < pale.sum() < without.sum()

    def test_joint_at_the_origin_is_absent_only_without_scores(self, body, tmp_path):
        body[..., :2] -= body[..., :1, :2]  # centred on the nose
        full = picture(body, tmp_path, layout='coco')
        without = picture(body[..., :2], tmp_path, layout='coco')
        assert (without < 0.9).sum() < (full < 0.9).sum()


def test_names_tell_the_sides_of_an_own_skeleton(tmp_path):
    layout = dict(
        joints=['trunk', 'Hand_Right', 'Hand_Left', 'Foot_Left', 'Foot_Right'],
        bones=[(1, 0), (2, 0), (3, 0), (4, 0)],
        mirror_pairs=[(1, 2), (3, 4)],
        center=0,
    )
    body = np.array([[0, 1], [1, 1], [-1, 1], [-1, 0.0], [1, 0]])[None, None]
    image = picture(body, tmp_path, layout=layout)
    blue, red = bluish(image)[1], reddish(image)[1]
    assert blue.min() > red.max() - 5


@pytest.mark.parametrize(
    ('keypoint', 'settings', 'message'),
    [
        (np.ones((1, 4, 20, 3)), {}, 'V=25'),
        (np.ones((4, 25)), {}, r'\(M, T, V, C\)'),
        (np.zeros((1, 4, 25, 3)), {}, 'nobody'),
        (np.ones((1, 4, 25, 3)), dict(num_frames=0), 'num_frames=0'),
    ],
)
def test_what_cannot_be_drawn_is_refused(keypoint, settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        draw_clip(keypoint, tmp_path / 'clip.png', **settings)


class TestStage:
    """Frames of several clips at one scale, with marks."""

    @staticmethod
    def drawn(stage, clip=0, frame=0, **marks):
        figure = Figure(figsize=(2, 2.5))
        stage.draw(figure.add_axes([0, 0, 1, 1]), clip, frame, **marks)
        return to_pixels(figure).astype(float) / 255

    def test_masked_joints_are_hollow_and_their_bones_faint(self):
        stage = Stage([standing(1)])
        masked = np.zeros(25, bool)
        masked[[4, 5, 6, 7, 21, 22]] = True  # the left arm
        plain, marked = self.drawn(stage), self.drawn(stage, masked=masked)
        assert len(bluish(marked)[0]) < len(bluish(plain)[0])
        np.testing.assert_array_equal(
            marked[:, : marked.shape[1] // 2 - 12], plain[:, : plain.shape[1] // 2 - 12]
        )
        black = (marked.max(-1) < 0.2).sum()
        assert black > (plain.max(-1) < 0.2).sum() + 20

    def test_dropped_bones_have_gaps_and_added_edges_are_thin_green(self):
        stage = Stage([standing(1)])
        legs = {(17, 16), (18, 17)}  # of the right
        plain, marked = self.drawn(stage), self.drawn(stage, dropped=legs)
        assert 20 < len(reddish(marked)[0]) < len(reddish(plain)[0]) - 20
        green = self.drawn(stage, added=[(7, 11)])
        only = (green[..., 1] > green[..., 0] + 0.1) & (
            green[..., 1] > green[..., 2] + 0.1
        )
        assert only.any()

    def test_turning_shows_what_lies_in_depth(self):
        body = standing(1)
        body[..., 8:12, 2] -= 1.0  # the right arm points to the camera
        front = reddish(self.drawn(Stage([body])))[1]
        turned = reddish(self.drawn(Stage([body], turn=60)))[1]
        assert np.ptp(turned) > 1.5 * np.ptp(front)

    def test_clips_share_a_scale_and_a_shorter_one_ends_on_its_last_frame(self):
        large, small = standing(3), standing(1)[..., :2] * [0.5, 0.5]
        stage = Stage([large, small])
        assert stage.num_frames == 3
        heights = [np.ptp((self.drawn(stage, i) < 0.6).nonzero()[0]) for i in (0, 1)]
        assert heights[1] == pytest.approx(heights[0] / 2, abs=3)
        np.testing.assert_array_equal(
            self.drawn(stage, 1, frame=2), self.drawn(stage, 1, frame=0)
        )


def test_animation_shows_every_frame_of_every_clip(tmp_path):
    body = standing(4)
    body[0, :, 7, 1] += [0, 0.1, 0.2, 0.5]
    path = tmp_path / 'clips.gif'
    animate_clips([body, standing(2)], path, titles=['one\ntwo', 'x'], fps=10, size=1)
    with Image.open(path) as image:
        assert image.n_frames == 4
        assert image.info['duration'] == 100
        assert image.info['loop'] == 0
        frames = []
        for frame in range(4):
            image.seek(frame)
            frames.append(np.asarray(image.convert('RGB')).astype(float) / 255)
    half = frames[0].shape[1] // 2
    assert (frames[0][:, :half] != frames[3][:, :half]).any()
    np.testing.assert_array_equal(frames[0][:, half:], frames[3][:, half:])
    for side in (frames[0][:, :half], frames[0][:, half:]):
        assert bluish(side)[1].mean() > reddish(side)[1].mean()
