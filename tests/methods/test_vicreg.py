"""SkeletonVICReg: the step, and what may be set."""

import pytest
import torch
from helpers.skeletons import view_batch
from mmaction.registry import MODELS


def build(levels=3, **kwargs):
    cfg = dict(
        type='SkeletonVICReg',
        backbone=dict(
            type='HiCLRSTGCN',
            graph_cfg=dict(layout='kinect20', mode='stgcn_spatial'),
            base_channels=4,
            out_channels=8,
            num_stages=3,
            inflate_stages=[3],
            down_stages=[3],
        ),
        neck=dict(
            type='SkeletonProjector',
            in_channels=8,
            hid_channels=12,
            out_channels=16,
            norm=True,
        ),
        head=dict(
            type='DecorrelationHead',
            level_weights=(1.0,) + (0.5,) * (levels - 1),
        ),
    )
    model = MODELS.build(dict(cfg, **kwargs))
    model.init_weights()
    return model.train()


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


@pytest.mark.parametrize('levels', [1, 3, 4])
@pytest.mark.parametrize(
    ('loss', 'parts'),
    [
        ('vicreg', ['invariance', 'variance', 'covariance']),
        ('barlow', ['invariance', 'redundancy']),
    ],
)
def test_has_the_parts_of_the_loss_and_one_for_each_stronger_level(levels, loss, parts):
    model = build(levels)
    head = dict(level_weights=model.head.level_weights, loss=loss)
    model = build(levels, head=dict(type='DecorrelationHead', **head))
    losses = model.loss(view_batch(levels=levels))
    pulls = [f'loss_level{i}' for i in range(1, levels)]
    assert list(losses) == [*(f'loss_{p}' for p in parts), *pulls, 'feature_spread']
    assert 0 < losses['feature_spread'] < 1.5


def test_one_encoder_makes_all_views(monkeypatch):
    """The losses are the head's, of the embeddings of key and queries."""
    model = build(mask_token=False)
    inputs = view_batch(masked=False)
    losses = model.loss(inputs)
    embeddings = [
        model.neck(model.backbone(x)) for x in (inputs['key'], *inputs['queries'])
    ]
    expected = model.head.loss(embeddings[1:], embeddings[0])
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)


@pytest.mark.parametrize('masked', [True, False])
def test_reaches_every_parameter(masked):
    model = build()
    total(model.loss(view_batch(masked=masked))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
    assert (model.mask_token.grad != 0) == masked


def test_key_and_weakest_view_draw_together_without_collapse():
    model = build(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    clips = torch.randn(16, 1, 8, 20, 3)
    seen = []
    for _ in range(60):
        noise = [0.3 * torch.randn_like(clips) for _ in range(2)]
        losses = model.loss(dict(key=clips + noise[0], queries=[clips + noise[1]]))
        optimizer.zero_grad()
        total(losses).backward()
        optimizer.step()
        seen.append(float(total(losses).detach()))
    assert sum(seen[-5:]) < 0.7 * sum(seen[:5])
    assert losses['loss_variance'] < 0.5
    assert losses['feature_spread'] > 0.2


def test_edges_are_perturbed_for_the_levels_that_are_named():
    model = build(graph_augment=dict(drop=0.5, levels=[1]), mask_token=False)
    inputs = view_batch(masked=False)
    calls = []
    perturb = model.edge_perturbation.perturb
    model.edge_perturbation.perturb = lambda A: calls.append(1) or perturb(A)
    assert torch.isfinite(total(model.loss(inputs)))
    assert len(calls) == len(model.edge_perturbation.names)
    with pytest.raises(ValueError, match='graph_augment.levels names level 3'):
        build(graph_augment=dict(levels=(3,))).loss(view_batch())


def test_noise_brings_no_absent_person_back():
    """With ``skip_absent`` a second body that is only noise changes nothing."""
    model = build()
    model.backbone.skip_absent = True
    inputs = view_batch(persons=2)
    inputs['key'][:, 1] = inputs['queries'][0][:, 1] = 0
    one = dict(
        inputs,
        key=inputs['key'][:, :1],
        queries=[x[:, :1] for x in inputs['queries']],
    )
    for name, value in model.loss(one).items():
        torch.testing.assert_close(model.loss(inputs)[name], value)


def test_views_and_weights_that_do_not_match_are_found_when_it_is_built():
    preprocessor = dict(
        type='SkeletonViewPreprocessor',
        layout='kinect20',
        views=dict(levels=[[dict(type='SkeletonShear')]]),
    )
    with pytest.raises(ValueError, match='weighs 3 query levels, but the views have 1'):
        build(data_preprocessor=preprocessor)


def test_clips_of_which_nobody_made_views_are_an_error():
    with pytest.raises(ValueError, match='inputs are clips, not views'):
        build().loss(torch.randn(4, 1, 8, 20, 3))


def test_a_batch_of_one_is_found_before_training():
    build().check_data(100, 2)
    with pytest.raises(ValueError, match='variance needs 2 or more'):
        build().check_data(100, 1)
