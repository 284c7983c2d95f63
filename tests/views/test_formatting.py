"""Alignment, streams and packing in a pipeline."""

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.dataset import default_collate, pseudo_collate

from hiclr_mmaction.skeleton import align_clip, hiclr_align, to_bone
from hiclr_mmaction.skeleton.mapping import map_joints


def build(name, **kwargs):
    return TRANSFORMS.build(dict(type=name, **kwargs))


def sample(persons=1, frames=20, joints=25):
    keypoint = np.random.randn(persons, frames, joints, 3).astype(np.float32)
    return dict(keypoint=keypoint, label=4, total_frames=frames, frame_dir='clip7')


class TestSkeletonAlign:
    @pytest.mark.parametrize(('persons', 'wanted'), [(1, 2), (2, 2), (3, 2), (2, 1)])
    def test_takes_the_first_persons_and_adds_absent_ones(self, persons, wanted):
        results = sample(persons)
        raw = torch.from_numpy(results['keypoint'])
        out = build('SkeletonAlign', num_frames=10, num_person=wanted)(results)
        kept = min(persons, wanted)
        aligned = hiclr_align(raw[:kept], 'nturgb+d', 10).numpy()
        np.testing.assert_array_equal(out['keypoint'][:kept], aligned)
        assert out['keypoint'].shape == (wanted, 10, 25, 3)
        assert (out['keypoint'][kept:] == 0).all()
        assert out['total_frames'] == 10

    def test_leaves_the_data_set_s_own_array_alone(self):
        results = sample()
        raw = results['keypoint']
        before = raw.copy()
        build('SkeletonAlign')(results)
        np.testing.assert_array_equal(raw, before)

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            (dict(joints=20), "clip 'clip7' has 20 joints, but layout 'nturgb"),
            (dict(frames=0), "clip 'clip7' has 1 persons and 0 frames"),
            (dict(persons=0), "clip 'clip7' has 0 persons"),
        ],
    )
    def test_clip_that_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            build('SkeletonAlign')(sample(**change))

    @pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
    def test_clip_that_is_not_finite_is_named_with_its_frame(self, bad):
        results = sample()
        results['keypoint'][0, 13, 2] = bad
        with pytest.raises(ValueError, match=r"'clip7' holds 3 values .* frame 13"):
            build('SkeletonAlign')(results)

    def test_wrong_number_of_axes_is_named(self):
        results = sample()
        results['keypoint'] = results['keypoint'][0]
        with pytest.raises(ValueError, match=r'shape \(20, 25, 3\); it should be'):
            build('SkeletonAlign')(results)

    def test_no_frames_wanted_is_an_error(self):
        with pytest.raises(ValueError, match='num_frames=0'):
            build('SkeletonAlign', num_frames=0)

    def test_2d_coordinates_and_scores_are_joined(self):
        pixels = np.random.rand(1, 20, 17, 2).astype(np.float16) * 500
        score = np.random.rand(1, 20, 17).astype(np.float16)
        results = dict(keypoint=pixels, keypoint_score=score, frame_dir='clip7')
        out = build('SkeletonAlign', layout='coco', num_frames=20)(results)
        joined = np.concatenate([pixels, score[..., None]], -1).astype(np.float32)
        expected = align_clip(torch.from_numpy(joined), 'coco', 20).numpy()
        np.testing.assert_array_equal(out['keypoint'][:1], expected)
        assert out['keypoint'].shape == (2, 20, 17, 3)
        assert out['coordinates'] == '2d'
        # FormatGCNInput would join them again.
        assert 'keypoint_score' not in out

    def test_coordinates_without_scores_have_score_1_except_at_the_origin(self):
        pixels = np.random.rand(1, 20, 17, 2) * 500 + 1
        pixels[0, 3, 8] = 0
        out = build('SkeletonAlign', layout='coco', num_frames=20, num_person=1)(
            dict(keypoint=pixels)
        )
        score = out['keypoint'][..., 2]
        assert score[0, 3, 8] == 0
        assert score.sum() == 20 * 17 - 1

    def test_scores_of_another_shape_are_named(self):
        results = dict(
            keypoint=np.ones((1, 20, 17, 2)),
            keypoint_score=np.ones((1, 19, 17)),
            frame_dir='clip7',
        )
        with pytest.raises(
            ValueError, match=r"'clip7': keypoint_score has shape \(1, 19"
        ):
            build('SkeletonAlign', layout='coco')(results)

    @pytest.mark.parametrize(
        ('layout', 'channels', 'message'),
        [
            ('nturgb+d', 2, r"layout 'nturgb\+d' needs 3 \(x, y, z\)"),
            ('nturgb+d', 4, r'has 4 coordinates per joint'),
            ('coco', 4, r'needs 2 \(x, y\) or 3 \(x, y, score\)'),
        ],
    )
    def test_number_of_coordinates_depends_on_the_layout(
        self, layout, channels, message
    ):
        joints = 25 if layout == 'nturgb+d' else 17
        with pytest.raises(ValueError, match=message):
            build('SkeletonAlign', layout=layout)(
                dict(keypoint=np.ones((1, 5, joints, channels)))
            )

    def test_works_before_mmaction2s_own_gcn_pipeline(self):
        results = build('SkeletonAlign', num_frames=16)(sample())
        for cfg in [
            dict(type='FormatGCNInput', num_person=2),
            dict(type='PackActionInputs'),
        ]:
            results = TRANSFORMS.build(cfg)(results)
        assert results['inputs'].shape == (1, 2, 16, 25, 3)


class TestSkeletonToLayout:
    def test_clip_gets_the_joints_of_the_layout_and_can_be_aligned(self):
        results = sample(persons=2)
        raw = torch.from_numpy(results['keypoint'])
        out = build('SkeletonToLayout', source='nturgb+d', layout='kinect20')(results)
        mapped = map_joints(raw, 'nturgb+d', 'kinect20').numpy()
        np.testing.assert_array_equal(out['keypoint'], mapped)
        out = build('SkeletonAlign', layout='kinect20', num_frames=8)(out)
        assert out['keypoint'].shape == (2, 8, 20, 3)

    def test_scores_are_joined_and_carried_over(self):
        keypoint = np.random.rand(1, 5, 17, 2) + 1
        score = np.random.rand(1, 5, 17)
        out = build('SkeletonToLayout', source='coco', layout='openpose')(
            dict(keypoint=keypoint, keypoint_score=score, frame_dir='a')
        )
        assert out['keypoint'].shape == (1, 5, 18, 3)
        np.testing.assert_allclose(out['keypoint'][..., 0, 2], score[..., 0], rtol=1e-6)
        neck = score[..., [5, 6]].min(-1)
        np.testing.assert_allclose(out['keypoint'][..., 1, 2], neck, rtol=1e-6)

    def test_clip_of_another_skeleton_or_aligned_is_an_error(self):
        mapped = build('SkeletonToLayout', source='kinect20', layout='smpl')
        with pytest.raises(ValueError, match="clip 'clip7' has 25 joints"):
            mapped(sample())
        with pytest.raises(ValueError, match='was aligned .* with --to-layout'):
            mapped(dict(sample(joints=20), prepared='aligned for kinect20'))

    def test_layout_that_cannot_be_made_is_found_at_once(self):
        with pytest.raises(ValueError, match='has no depth'):
            build('SkeletonToLayout', source='coco', layout='kinect20')


class TestSkeletonStream:
    def test_makes_the_stream(self):
        results = sample()
        raw = torch.from_numpy(results['keypoint'])
        out = build('SkeletonStream', stream='bone')(results)['keypoint']
        np.testing.assert_array_equal(out, to_bone(raw, 'nturgb+d').numpy())

    def test_unknown_names_are_errors_when_built(self):
        with pytest.raises(ValueError, match="stream='velocity' is unknown"):
            build('SkeletonStream', stream='velocity')
        with pytest.raises(ValueError, match="layout='x' is unknown"):
            build('SkeletonStream', layout='x')


class TestPackSkeletonViews:
    def packed(self, levels, **kwargs):
        results = build('GrowingAugmentation', levels=levels)(sample())
        return build('PackSkeletonViews', **kwargs)(results)

    def test_without_views_packs_the_clip_with_label_and_name(self):
        out = build('PackSkeletonViews')(sample())
        assert out['inputs'].shape == (1, 20, 25, 3)
        assert out['inputs'].dtype == torch.float32
        assert int(out['data_samples'].gt_label) == 4
        assert out['data_samples'].frame_dir == 'clip7'
        assert out['data_samples'].knn_bank is False

    def test_needs_no_label(self):
        results = sample()
        del results['label']
        assert 'gt_label' not in build('PackSkeletonViews')(results)['data_samples']

    def test_marks_the_bank(self):
        assert build('PackSkeletonViews', knn_bank=True)(sample())[
            'data_samples'
        ].knn_bank

    def test_one_mask_for_the_last_view_alone(self):
        out = self.packed([[], [], [dict(type='SkeletonJointMask')]])
        assert out['inputs']['mask'].shape == (20, 25)
        assert len(out['inputs']['queries']) == 3

    def test_a_mask_for_each_view_where_several_are_masked(self):
        out = self.packed([[], [dict(type='SkeletonJointMask')], []])
        assert [int(m.sum()) for m in out['inputs']['mask']] == [0, 40, 40]

    def test_no_mask_without_masking(self):
        assert 'mask' not in self.packed([[], []])['inputs']

    @pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
    @pytest.mark.parametrize('masked', ['none', 'last', 'several'])
    def test_batches_of_both_collates_reach_the_model_alike(self, collate, masked):
        from mmaction.registry import MODELS

        mask = [dict(type='SkeletonJointMask')]
        levels = dict(none=[[], []], last=[[], mask], several=[mask, []])[masked]
        batch = collate([self.packed(levels) for _ in range(3)])
        prepare = MODELS.build(dict(type='SkeletonViewPreprocessor'))
        inputs = prepare(batch, training=True)['inputs']
        assert inputs['key'].shape == (3, 1, 20, 25, 3)
        assert [tuple(q.shape) for q in inputs['queries']] == [(3, 1, 20, 25, 3)] * 2
        if masked == 'none':
            assert inputs['mask'] is None
        elif masked == 'last':
            assert inputs['mask'].shape == (3, 20, 25)
        else:
            assert [tuple(m.shape) for m in inputs['mask']] == [(3, 20, 25)] * 2
