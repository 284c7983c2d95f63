"""Growing augmentation: which view is made by what."""

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS

from hiclr_mmaction.views import GrowingAugmentation, SkeletonTransform


class Add(SkeletonTransform):
    """Adds a power of ten and a small random number: tells who made a view."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def draw(self, n, generator=None):
        return dict(small=torch.rand(n, generator=generator) / 2)

    def apply(self, x, small):
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


def test_what_was_done_to_a_sample_is_named():
    """Mirroring is the only thing done: the clip shows whether it was."""
    mirror = [dict(type='SkeletonMirror', prob=0.5)]
    x = torch.randn(6, 1, 4, 25, 3)
    for grown in (False, True):
        growing = GrowingAugmentation([mirror, [], mirror], grown)
        draws = growing.draw(len(x), torch.Generator().manual_seed(0))
        views = growing.apply(x, **draws)
        seen = set()
        for n in range(len(x)):
            applied = growing.applied(len(x), n, **draws)
            for view, names in zip(
                [views['key'], *views['queries']], applied, strict=True
            ):
                assert torch.equal(view[n], x[n]) == (len(names) % 2 == 0)
                seen.add(len(names))
        assert seen == {0, 1, 2}


def test_name_of_a_channel_mask_says_which_coordinate_it_took():
    mask = [dict(type='SkeletonChannelMask', prob=0.5)]
    growing = GrowingAugmentation([mask, mask])
    x = torch.ones(8, 1, 4, 25, 3)
    draws = growing.draw(8)
    views = growing.apply(x, **draws)
    for n in range(8):
        for view, names in zip(
            [views['key'], *views['queries']],
            growing.applied(8, n, **draws),
            strict=True,
        ):
            zeros = [a for i, a in enumerate('xyz') if not view[n, ..., i].any()]
            assert set(names) == {f'ChannelMask ({a})' for a in zeros}
