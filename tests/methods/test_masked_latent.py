"""MaskedLatentPrediction: the step, its state, and what may be set."""

import pytest
import torch
from helpers.skeletons import view_batch
from mmaction.registry import MODELS

BACKBONE = dict(
    type='HiCLRSTGCN',
    graph_cfg=dict(layout='kinect20', mode='stgcn_spatial'),
    base_channels=4,
    out_channels=8,
    num_stages=3,
    inflate_stages=[3],
    down_stages=[3],
)


def build(**kwargs):
    cfg = dict(
        type='MaskedLatentPrediction',
        backbone=BACKBONE,
        neck=dict(type='SkeletonPredictor', in_channels=8),
        head=dict(type='LatentPredictionHead'),
        momentum=0.1,
    )
    model = MODELS.build(dict(cfg, **kwargs))
    model.init_weights()
    return model.train()


def batch(**kwargs):
    """One view, half of whose joints are masked in half of its time."""
    inputs = view_batch(levels=1, **kwargs)
    inputs['mask'] = torch.zeros(4, 8, 20, dtype=torch.bool)
    inputs['mask'][:, :4, ::2] = True
    return inputs


def test_the_teacher_sees_the_whole_view_and_the_encoder_the_masked_one(monkeypatch):
    model, inputs = build(), batch()
    with torch.no_grad():
        model.mask_token.fill_(3.0)
    model.loss(inputs)  # the teacher's weights are those of the encoder from here on
    seen = []
    run = type(model.backbone).forward
    monkeypatch.setattr(
        type(model.backbone), 'forward', lambda self, x: seen.append(x) or run(self, x)
    )
    losses = model.loss(inputs)
    whole, masked = seen
    assert torch.equal(whole, inputs['queries'][0])
    mask = inputs['mask'][:, None, :, :, None].expand_as(whole)
    assert (masked[mask] == 3).all()
    assert torch.equal(masked[~mask], whole[~mask])
    target = model.teacher.module(whole)
    prediction = model.neck(model.backbone(masked))
    expected = model.head.loss(prediction, target, inputs['mask'])
    torch.testing.assert_close(losses['loss_latent'], expected['loss_latent'])


def test_reaches_every_parameter_but_the_teachers():
    model = build()
    model.loss(batch())['loss_latent'].backward()
    for name, parameter in model.named_parameters():
        if name.startswith('teacher'):
            assert parameter.grad is None
        else:
            assert parameter.grad is not None, name
    assert model.mask_token.grad != 0


def test_the_teacher_follows_by_the_momentum():
    model = build()
    model.loss(batch())
    weight = model.backbone.gcn[0].gcn.conv.weight
    before = weight.detach().clone()
    weight.data += 1
    model.loss(batch())
    after = model.teacher.module.gcn[0].gcn.conv.weight
    torch.testing.assert_close(after, before + 0.1)


def test_running_statistics_are_those_of_whole_clips():
    """Masks of a huge value leave no trace in them."""
    model, inputs = build(), batch()
    with torch.no_grad():
        model.mask_token.fill_(1e4)
    for _ in range(3):
        model.loss(inputs)['loss_latent'].backward()
    norm = model.backbone.data_bn
    assert norm.running_var.max() < 10
    assert int(norm.num_batches_tracked) == 3
    assert model.eval().extract_feat(inputs['key']).isfinite().all()


def test_learns_to_predict():
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    # All joints move alike, so that the others tell what is masked.
    motion = torch.randn(16, 1, 8, 1, 3).expand(-1, -1, -1, 20, -1)
    mask = torch.zeros(16, 8, 20, dtype=torch.bool)
    mask[:, :, ::3] = True
    seen = []
    for _ in range(40):
        losses = model.loss(dict(queries=[motion], mask=mask))
        optimizer.zero_grad()
        losses['loss_latent'].backward()
        optimizer.step()
        seen.append(losses)
    assert seen[-1]['loss_latent'] < 0.7 * seen[0]['loss_latent']
    assert seen[-1]['latent_cosine'] > 0.6 > seen[0]['latent_cosine']


@pytest.mark.parametrize('skip_absent', [False, True])
def test_absent_persons_do_not_count(skip_absent):
    options = dict(backbone=dict(BACKBONE, skip_absent=skip_absent))
    model, inputs = build(**options), batch(persons=2)
    inputs['queries'][0][:, 1] = 0
    losses = model.loss(inputs)
    losses['loss_latent'].backward()
    assert losses['loss_latent'].isfinite()
    if skip_absent:
        one = dict(inputs, queries=[inputs['queries'][0][:, :1]])
        again = build(**options)
        again.load_state_dict(model.state_dict())
        torch.testing.assert_close(model.loss(one), again.loss(inputs))


@pytest.mark.parametrize('mask', [None, [None]])
def test_a_view_without_a_mask_is_an_error(mask):
    with pytest.raises(ValueError, match='no joint is masked; end'):
        build().loss(dict(batch(), mask=mask))


def test_views_that_mask_nothing_are_found_when_it_is_built():
    def preprocessor(*level):
        views = dict(levels=[[dict(type='SkeletonShear'), *level]])
        return dict(type='SkeletonViewPreprocessor', layout='kinect20', views=views)

    with pytest.raises(ValueError, match='no joint is masked; end'):
        build(data_preprocessor=preprocessor())
    build(data_preprocessor=preprocessor(dict(type='SkeletonJointMask')))


def test_clips_of_which_nobody_made_views_are_an_error():
    with pytest.raises(ValueError, match='inputs are clips, not views'):
        build().loss(torch.randn(4, 1, 8, 20, 3))


@pytest.mark.parametrize('momentum', [0, 1, float('nan')])
def test_momentum_out_of_range_is_an_error(momentum):
    with pytest.raises(ValueError, match=f'momentum={momentum} is not between'):
        build(momentum=momentum)


def test_predictor_of_another_width_names_both():
    model = build(neck=dict(type='SkeletonPredictor', in_channels=16))
    with pytest.raises(ValueError, match='in_channels=16, but the backbone gives 8'):
        model.loss(batch())
