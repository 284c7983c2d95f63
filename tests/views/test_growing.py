"""Growing augmentation: which view is made by what."""

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.dataset import default_collate

from hiclr_mmaction.views import (
    GrowingAugmentation,
    PackSkeletonViews,
    SkeletonTransform,
    views_collate,
)


class Add(SkeletonTransform):
    """Adds a power of ten and a small random number: tells who made a view."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def draw_parameters(self, n, generator):
        return dict(small=torch.rand(n, generator=generator) / 2)

    def change(self, x, small):
        return x + self.number + small[:, None, None, None, None]


def sets(*numbers):
    return [[Add(n)] for n in numbers]


def views(levels, n=3, **kwargs):
    growing = GrowingAugmentation(levels, **kwargs)
    out = growing.apply(
        torch.zeros(n, 2, 12, 25, 3),
        **growing.draw(n, torch.Generator().manual_seed(0)),
    )
    return out['key'], out['queries'], out.get('mask')


def made_by(view):
    """Whole part of what was added to each sample."""
    return view[:, 0, 0, 0, 0].floor().tolist()


@pytest.mark.parametrize('count', [1, 2, 3, 5])
@pytest.mark.parametrize('grown', [False, True])
def test_view_i_is_made_by_the_sets_0_to_i(count, grown):
    numbers = [10 ** (i + 1) for i in range(count)]
    key, queries, mask = views(sets(*numbers), grown=grown)
    assert made_by(key) == [numbers[0]] * 3
    for i, query in enumerate(queries):
        whole = [int(v) // 10 * 10 for v in made_by(query)]
        assert whole == [sum(numbers[: i + 1])] * 3
    assert len(queries) == count
    assert mask is None


def test_independent_views_share_no_draw():
    key, queries, _ = views(sets(0, 0, 0))
    values = torch.cat([v[:, 0, 0, 0, 0] for v in [key, *queries]])
    assert len(values.unique()) == len(values)


def test_grown_views_keep_the_draws_of_the_view_below():
    key, queries, _ = views(sets(0, 10), grown=True)
    below, above = (q[:, 0, 0, 0, 0] for q in queries)
    difference = above - below
    assert ((difference >= 10) & (difference < 10.5)).all()
    assert not torch.equal(key, queries[0])


def test_independent_views_do_not_keep_them():
    _, queries, _ = views(sets(0, 10), n=200)
    below, above = (q[:, 0, 0, 0, 0] for q in queries)
    assert ((above - below) < 10).any()


def test_empty_set_gives_another_draw_of_the_level_below():
    _, queries, _ = views([[Add(10)], [], [Add(100)]])
    assert made_by(queries[1]) == [10, 10, 10]
    assert not torch.equal(queries[0], queries[1])
    assert made_by(queries[2]) == [110, 110, 110]


MASK = dict(type='SkeletonJointMask', ratio=0.2)


@pytest.mark.parametrize('grown', [False, True])
def test_masks_are_handed_on_and_not_applied(grown):
    _, queries, mask = views([[Add(10)], [], [MASK]], grown=grown)
    assert made_by(queries[2]) == [10, 10, 10]
    assert mask[:2] == [None, None]
    assert mask[2].shape == (3, 12, 25)
    assert (mask[2].sum(-1) == 5).all()


def test_grown_view_keeps_the_mask_of_the_view_below():
    _, _, mask = views([[Add(1)], [MASK], [MASK]], grown=True)
    assert (mask[2] | ~mask[1]).all()
    assert mask[2].sum() > mask[1].sum()


def test_independent_views_have_masks_of_their_own():
    _, _, mask = views([[Add(1)], [MASK], []])
    assert mask[0] is None
    assert mask[1].sum() == mask[2].sum()
    assert not torch.equal(mask[1], mask[2])


def test_mask_in_the_basic_set_leaves_the_key_alone():
    key, queries, mask = views([[Add(10), MASK]])
    assert made_by(key) == made_by(queries[0]) == [10, 10, 10]
    assert mask[0].shape == (3, 12, 25)


def test_pipeline_gives_one_sample_with_released_sets():
    cfg = dict(
        type='GrowingAugmentation',
        levels=[
            [dict(type='SkeletonTemporalCrop'), dict(type='SkeletonShear')],
            [dict(type='SkeletonMirror'), dict(type='SkeletonRotate')],
            [dict(type='SkeletonJointMask')],
        ],
    )
    keypoint = np.random.randn(2, 50, 25, 3)
    results = TRANSFORMS.build(cfg)(dict(keypoint=keypoint))
    key, queries = results['views']['key'], results['views']['queries']
    assert [tuple(v.shape) for v in [key, *queries]] == [(2, 50, 25, 3)] * 4
    assert all(v.dtype == torch.float32 for v in [key, *queries])
    assert results['views']['mask'][2].shape == (50, 25)


RELEASED = [
    [dict(type='SkeletonTemporalCrop'), dict(type='SkeletonShear')],
    [
        dict(type='SkeletonMirror'),
        dict(type='SkeletonRotate'),
        dict(type='SkeletonNoise'),
        dict(type='SkeletonBlur'),
        dict(type='SkeletonChannelMask'),
    ],
    [dict(type='SkeletonJointMask')],
]


# Clips of 600 frames are made two at a time.
@pytest.mark.parametrize('frames', [50, 600])
@pytest.mark.parametrize('grown', [False, True])
def test_views_made_in_the_collate_are_those_of_each_sample(grown, frames):
    clips = np.random.default_rng(0).standard_normal((5, 2, frames, 25, 3))

    def packed(in_collate):
        growing = GrowingAugmentation(RELEASED, grown, in_collate=in_collate)
        for i, clip in enumerate(clips):
            torch.manual_seed(i)  # as SeededDataset seeds each sample
            yield PackSkeletonViews()(growing(dict(keypoint=clip, label=i)))

    samples = list(packed(in_collate=True))
    together, alone = views_collate(samples), default_collate(list(packed(False)))
    assert [s.gt_label.item() for s in together['data_samples']] == [0, 1, 2, 3, 4]
    made, expected = together['inputs'], alone['inputs']
    torch.testing.assert_close(made['key'], expected['key'])
    torch.testing.assert_close(made['queries'], expected['queries'])
    assert torch.equal(made['mask'], expected['mask'])
    # Only themselves go through a worker's pipe.
    for view in (made['key'], *made['queries']):
        assert view.untyped_storage().nbytes() == view.nbytes
    # Clips of a pipeline without views are collated as ever.
    clip = PackSkeletonViews()(dict(keypoint=clips[0]))
    assert views_collate([clip, clip])['inputs'].shape == (2, 2, frames, 25, 3)


def test_batch_of_different_augmentations_is_refused():
    batch = [
        PackSkeletonViews()(
            GrowingAugmentation(
                [[dict(type='SkeletonMirror', prob=prob)]], in_collate=True
            )(dict(keypoint=np.ones((1, 12, 25, 3))))
        )
        for prob in (0.4, 0.6)
    ]
    with pytest.raises(ValueError, match='different GrowingAugmentations'):
        views_collate(batch)


def test_time_moved_under_a_mask_is_an_error_when_grown():
    levels = [[Add(1)], [MASK], [dict(type='SkeletonTimeFlip')]]
    GrowingAugmentation(levels)
    with pytest.raises(ValueError, match='SkeletonTimeFlip in level 2 would move'):
        GrowingAugmentation(levels, grown=True)


def test_no_level_and_no_augmentation_are_errors():
    with pytest.raises(ValueError, match=r'levels=\[\] makes no view'):
        GrowingAugmentation([])
    with pytest.raises(ValueError, match='in level 1 is not a skeleton augmentation'):
        GrowingAugmentation([[], [dict(type='SkeletonAlign')]])


def test_layout_reaches_the_augmentations_that_take_one_and_name_none():
    growing = GrowingAugmentation(
        [
            [dict(type='SkeletonShear'), dict(type='SkeletonTemporalCrop')],
            [
                dict(type='SkeletonMirror'),
                dict(type='SkeletonRotate', layout='openpose'),
            ],
            [dict(type='SkeletonJointMask'), Add(1)],
        ],
        layout='coco',
    )
    (shear, crop), (mirror, rotate), (mask, _) = growing.levels
    assert shear.layout == mirror.layout == 'coco'
    assert rotate.layout == 'openpose'
    assert not hasattr(crop, 'layout')
    assert not hasattr(mask, 'layout')


def test_clip_aligned_as_another_kind_is_refused():
    growing = GrowingAugmentation([[], [dict(type='SkeletonShear')]])
    results = dict(keypoint=np.ones((1, 12, 17, 3)), coordinates='2d')
    with pytest.raises(ValueError, match="SkeletonShear: layout='nturgb"):
        growing(results)
