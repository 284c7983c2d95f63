"""Streams and SkeleAdaIN on the way into the model."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.dataset import pseudo_collate

from hiclr_mmaction.skeleton import to_stream
from hiclr_mmaction.skeleton.augment import ada_in
from hiclr_mmaction.views import GrowingAugmentation, PackSkeletonViews


def build(**kwargs):
    return MODELS.build(dict(type='SkeletonViewPreprocessor', **kwargs))


def data(n=4, levels=3, persons=2):
    def view():
        return torch.randn(n, persons, 8, 25, 3)

    return dict(
        inputs=dict(key=view(), queries=[view() for _ in range(levels)]),
        data_samples=[],
    )


@pytest.mark.parametrize('stream', ['joint', 'bone', 'motion', 'bone_motion'])
def test_every_view_and_a_plain_batch_become_the_stream(stream):
    batch = data()
    prepare = build(stream=stream, layout='nturgb+d')
    out = prepare(batch, training=True)['inputs']
    for view, raw in zip(
        [out['key'], *out['queries']],
        [batch['inputs']['key'], *batch['inputs']['queries']],
        strict=True,
    ):
        assert torch.equal(view, to_stream(raw, stream, 'nturgb+d'))
    plain = [torch.randn(2, 8, 25, 3) for _ in range(3)]
    out = prepare(dict(inputs=plain, data_samples=[]))['inputs']
    assert torch.equal(out, to_stream(torch.stack(plain), stream, 'nturgb+d'))


def test_views_that_are_only_drawn_are_refused():
    growing = GrowingAugmentation([[]], in_collate=True)
    sample = PackSkeletonViews()(growing(dict(keypoint=np.ones((1, 8, 25, 3)))))
    with pytest.raises(ValueError, match=r"collate_fn=dict\(type='views_collate'\)"):
        build()(pseudo_collate([sample]), training=True)


@pytest.mark.parametrize('dims', ['TV', 'V'])
def test_ada_in_gives_the_strongest_view_the_next_clips_statistics(dims):
    batch = data()
    out = build(ada_in=dict(dims=dims))(batch, training=True)['inputs']
    raw = batch['inputs']['queries']
    assert torch.equal(out['key'], batch['inputs']['key'])
    assert torch.equal(out['queries'][0], raw[0])
    assert torch.equal(out['queries'][1], raw[1])
    torch.testing.assert_close(
        out['queries'][2], ada_in(raw[2], raw[2].roll(1, 0), dims)
    )


def test_ada_in_is_for_training_only():
    batch = data()
    out = build(ada_in={})(batch, training=False)['inputs']
    assert torch.equal(out['queries'][2], batch['inputs']['queries'][2])


def test_ada_in_neither_makes_nor_copies_absent_persons():
    batch = data()
    view = batch['inputs']['queries'][2]
    view[1, 1] = 0
    out = build(ada_in={})(batch, training=True)['inputs']['queries'][2]
    assert (out[1, 1] == 0).all()
    assert torch.equal(out[2, 1], view[2, 1])  # its style would be the absent one
    assert not torch.equal(out[3, 1], view[3, 1])


def test_ada_in_changes_a_clip_with_its_probability():
    batch = data(n=300, levels=1, persons=1)
    out = build(ada_in=dict(prob=0.4))(batch, training=True)['inputs']['queries'][0]
    changed = (out != batch['inputs']['queries'][0]).flatten(1).any(1).float().mean()
    assert abs(changed - 0.4) < 0.12


def test_ada_in_comes_before_the_stream():
    batch = data()
    out = build(ada_in={}, stream='motion')(batch, training=True)['inputs']['queries'][
        2
    ]
    raw = batch['inputs']['queries'][2]
    mixed = ada_in(raw, raw.roll(1, 0), 'TV')
    torch.testing.assert_close(out, to_stream(mixed, 'motion', 'nturgb+d'))


def test_ada_in_keeps_the_scores_of_an_image():
    batch = dict(
        inputs=dict(
            key=torch.rand(4, 2, 8, 17, 3),
            queries=[torch.rand(4, 2, 8, 17, 3) for _ in range(2)],
        ),
        data_samples=[],
    )
    out = build(ada_in={}, layout='coco')(batch, training=True)['inputs']['queries'][1]
    raw = batch['inputs']['queries'][1]
    assert torch.equal(out[..., 2], raw[..., 2])
    torch.testing.assert_close(
        out[..., :2], ada_in(raw[..., :2], raw[..., :2].roll(1, 0), 'TV')
    )


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(stream='speed'), "stream='speed' is unknown"),
        (dict(layout='x'), "layout='x' is unknown"),
        (dict(ada_in=dict(dims='M')), "ada_in.dims='M' is unknown"),
        (dict(ada_in=dict(prob=2)), 'ada_in.prob=2 is not a probability'),
    ],
)
def test_unknown_names_are_errors_when_built(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)


def test_level_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match='names level 5; the views have levels 0 to 2'):
        build(ada_in=dict(levels=(5,)))(data(), training=True)


def test_masked_joints_of_an_image_have_score_0_and_the_value_only_in_x_and_y():
    batch = data()
    mask = torch.zeros(4, 8, 25, dtype=torch.bool)
    mask[:, ::2, 5] = True
    batch['inputs']['mask'] = mask
    layout = dict(base='nturgb+d', coordinates='2d')
    out = build(layout=layout)(batch, training=True)['inputs']
    raw = batch['inputs']['queries'][2]
    view, masked = out['queries'][2], mask[:, None].expand(-1, 2, -1, -1)
    assert (view[masked][:, 2] == 0).all()
    assert torch.equal(view[~masked], raw[~masked])
    assert torch.equal(out['mask'][2][..., 1], mask)
    assert not out['mask'][2][..., 2].any()
    assert out['mask'][:2] == [None, None]
