"""PCM3: the step, its views, its state, and what may be set."""

import pytest
import torch
import torch.nn.functional as F
from helpers.skeletons import view_batch
from mmaction.registry import MODELS

from hiclr_mmaction.models.modules import present_persons
from hiclr_mmaction.skeleton import get_layout
from hiclr_mmaction.skeleton.regions import joint_distances

BACKBONE = dict(
    type='HiCLRSTGCN',
    graph_cfg=dict(layout='kinect20', mode='stgcn_spatial'),
    base_channels=4,
    out_channels=8,
    num_stages=3,
    inflate_stages=[3],
    down_stages=[3],
)


def build(layout='kinect20', views=None, **kwargs):
    preprocessor = dict(type='SkeletonViewPreprocessor', layout=layout, views=views)
    cfg = dict(
        type='PCM3',
        data_preprocessor=preprocessor,
        backbone=BACKBONE,
        neck=dict(type='SkeletonProjector', in_channels=8, out_channels=16),
        head=dict(type='PCM3Head', in_channels=8, hid_channels=8),
        queue_size=8,
        momentum=0.1,
    )
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg, **kwargs))
    model.init_weights()
    with torch.no_grad():  # zeros would hide what they do
        for prompt in (*model.input_prompts.values(), model.prediction_prompt):
            prompt.normal_()
        model.head.read.weight.normal_()
        model.mask_token.fill_(3.0)
    return model.train()


def batch(**kwargs):
    """Two views; in the second, half of the joints are masked in half of the time."""
    inputs = view_batch(levels=2, **kwargs)
    inputs['mask'] = torch.zeros(4, 8, 20, dtype=torch.bool)
    inputs['mask'][:, :4, ::2] = True
    return inputs


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


def seen_by(monkeypatch, model, inputs):
    """What the query encoder is given in a step, and the losses."""
    seen = []
    run = type(model.backbone).forward

    def spy(self, x):
        if self is model.backbone:
            seen.append(x)
        return run(self, x)

    monkeypatch.setattr(type(model.backbone), 'forward', spy)
    losses = model.loss(inputs)
    monkeypatch.undo()
    return seen, losses


def test_a_head_of_another_width_than_the_backbone_is_told():
    model = build(head=dict(type='PCM3Head', in_channels=9))
    with pytest.raises(ValueError, match='in_channels=9, but the backbone gives 8'):
        model.loss(batch())


def test_each_view_is_what_it_is_called(monkeypatch):
    model, inputs = build(), batch()
    (masked, rest), _ = seen_by(monkeypatch, model, inputs)
    ordinary, predicted, mixed = rest.chunk(3)
    whole = inputs['queries'][1]
    where = inputs['mask'][:, None, :, :, None].expand_as(whole)
    assert (masked[where] == 3).all()
    assert torch.equal(masked[~where], whole[~where])
    assert torch.equal(ordinary, inputs['queries'][0])
    prompt = model.input_prompts['predicted']
    torch.testing.assert_close(predicted[~where], (whole + prompt)[~where])
    assert not torch.isclose(predicted[where], (whole + prompt)[where]).any()
    mixed = mixed - model.input_prompts['mixed']
    own = torch.isclose(mixed, ordinary, atol=1e-5).all(-1)
    other = torch.isclose(mixed, ordinary.roll(1, 0), atol=1e-5).all(-1)
    assert (own ^ other).all()
    assert other.any()


def test_the_losses_are_the_heads_of_these_views(monkeypatch):
    """And the key's embeddings are of the average as it is after the update."""
    model, inputs = build(), batch()
    queue = model.queue.features.clone()
    torch.manual_seed(1)
    (masked, rest), losses = seen_by(monkeypatch, model, inputs)
    torch.manual_seed(1)
    _, kept = model.mix(inputs['queries'][0], torch.ones(4, 1, dtype=torch.bool))
    maps = model.backbone(masked)
    embed = F.normalize(model.neck(model.backbone(rest)), dim=1)
    query, predicted, mixed = embed.chunk(3)
    key = F.normalize(model.key_encoder.module(inputs['key']), dim=1)
    expected = model.head.loss(
        query,
        F.normalize(model.neck(maps), dim=1),
        predicted,
        key,
        queue,
        (mixed, key[[3, 0, 1, 2]], kept),
    )
    whole = inputs['queries'][1]
    where = inputs['mask'][:, None, :, :, None].expand_as(whole)
    guess = model.head.decode(maps + model.prediction_prompt, 8)
    expected.update(model.head.prediction_loss(guess, whole, where))
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)
    assert torch.equal(model.queue.features[:4], key)


@pytest.mark.parametrize('persons', [1, 2])
def test_a_part_of_the_next_clip_is_connected_and_its_share_is_told(persons):
    model = build()
    x = torch.arange(6.0).view(6, 1, 1, 1, 1).expand(6, persons, 8, 20, 3)
    present = torch.ones(6, persons, dtype=torch.bool)
    distances = joint_distances(get_layout('kinect20'))
    shares = []
    for _ in range(50):
        mixed, kept = model.mix(x, present)
        own = (mixed == x).all(-1)
        torch.testing.assert_close(kept, own.float().mean((1, 2, 3)))
        assert torch.equal(mixed[~own], x.roll(1, 0)[~own])
        for clip in ~own[:, 0]:
            joints = clip.any(0)  # of any frame: the same in all frames of the segment
            assert clip.sum() == clip.any(1).sum() * joints.sum()
            assert clip.any(1).int().diff().abs().sum() <= 2
            part = joints.nonzero().flatten()
            near = (distances[part][:, part] == 1).float()
            reached = torch.linalg.matrix_power(near + torch.eye(len(part)), 20)
            assert (reached > 0).all()
        shares.append(kept)
    assert abs(torch.cat(shares).mean() - 0.5) < 0.08


def test_reaches_every_parameter_but_the_key_encoders():
    model = build()
    total(model.loss(batch())).backward()
    for name, parameter in model.named_parameters():
        if name.startswith('key_encoder'):
            assert parameter.grad is None
        else:
            assert parameter.grad is not None, name
            if 'prompt' in name or name == 'mask_token':
                assert parameter.grad.abs().sum() > 1e-4, name


def test_the_predicted_view_trains_the_prediction():
    head = dict(type='PCM3Head', in_channels=8, prediction_weight=0.0)
    model = build(head=head)
    model.loss(batch())['loss_predicted'].backward()
    assert model.head.read.weight.grad.abs().sum() > 0
    assert model.prediction_prompt.grad.abs().sum() > 0


def test_without_mixing_there_is_no_such_view_nor_prompt(monkeypatch):
    head = dict(type='PCM3Head', in_channels=8, mixed_weight=0.0)
    model = build(head=head)
    (_, rest), losses = seen_by(monkeypatch, model, batch())
    assert len(rest) == 8
    assert 'loss_mixed' not in losses
    assert list(model.input_prompts) == ['predicted']
    total(losses).backward()
    assert all(
        p.grad is not None
        for name, p in model.named_parameters()
        if not name.startswith('key_encoder')
    )


def test_running_statistics_are_those_of_whole_clips():
    """Masks of a huge value leave no trace in them."""
    model = build()
    with torch.no_grad():
        model.mask_token.fill_(1e4)
        model.head.read.weight.zero_()
    for _ in range(3):
        total(model.loss(batch())).backward()
    norm = model.backbone.data_bn
    assert norm.running_var.max() < 10
    assert int(norm.num_batches_tracked) == 3


@pytest.mark.parametrize('skip_absent', [False, True])
def test_absent_persons_stay_absent(skip_absent, monkeypatch):
    model = build(backbone=dict(BACKBONE, skip_absent=skip_absent))
    inputs = batch(persons=2)
    for x in (inputs['key'], *inputs['queries']):
        x[1:, 1] = 0
    seen, losses = seen_by(monkeypatch, model, inputs)
    rest = seen[-1]
    for view in rest.chunk(3):
        assert present_persons(view).tolist() == [[True, True]] + [[True, False]] * 3
    kept = rest[8, 1] - model.input_prompts['mixed']
    torch.testing.assert_close(kept, inputs['queries'][0][0, 1])
    assert total(losses).isfinite()
    if skip_absent:
        assert len(seen[0]) == 5  # the five persons, one by one


def test_skipped_absent_persons_leave_no_trace():
    """A batch whose second persons are all absent is that of the first ones."""
    inputs = batch(persons=2)
    for x in (inputs['key'], *inputs['queries']):
        x[:, 1] = 0
    first = dict(
        inputs,
        key=inputs['key'][:, :1],
        queries=[x[:, :1] for x in inputs['queries']],
    )
    losses = []
    for views in (inputs, first):
        model = build(backbone=dict(BACKBONE, skip_absent=True))
        torch.manual_seed(2)
        losses.append(model.loss(views))
    torch.testing.assert_close(*losses)


def test_a_step_is_reproducible():
    inputs, losses = batch(), []
    for _ in range(2):
        model = build()
        torch.manual_seed(4)
        losses.append(model.loss(inputs))
    assert all(
        torch.equal(a, b) for a, b in zip(*(x.values() for x in losses), strict=True)
    )


def test_scores_of_2d_skeletons_are_neither_predicted_nor_prompted(monkeypatch):
    graph_cfg = dict(layout='coco', mode='stgcn_spatial')
    model = build(
        layout='coco',
        backbone=dict(BACKBONE, graph_cfg=graph_cfg),
        views=dict(levels=[[], [dict(type='SkeletonPartMask')]]),
    )
    clips = torch.randn(4, 1, 8, 17, 3)
    clips[..., 2] = torch.rand(4, 1, 8, 17) + 0.1
    inputs = model.data_preprocessor(dict(inputs=clips, data_samples=None), True)
    inputs = inputs['inputs']
    (masked, rest), losses = seen_by(monkeypatch, model, inputs)
    score = inputs['queries'][1][..., 2]
    assert (score == 0).any()
    assert torch.equal(masked[..., 2], score)
    assert torch.equal(rest[4:8, ..., 2], score)
    assert total(losses).isfinite()


def test_learns_to_predict():
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    # All joints are in one place, so that the others tell where a masked one is.
    motion = torch.randn(16, 1, 1, 1, 3).expand(-1, -1, 8, 20, -1)
    mask = torch.zeros(16, 8, 20, dtype=torch.bool)
    mask[:, :, ::3] = True
    seen = []
    model.queue.features = F.normalize(torch.randn(16, 16), dim=1)
    for _ in range(60):
        losses = model.loss(dict(key=motion, queries=[motion], mask=mask))
        optimizer.zero_grad()
        total(losses).backward()
        optimizer.step()
        seen.append(losses['loss_prediction'].item())
    variance = 10 * motion.var().item()
    assert seen[-1] < 0.7 * variance


def test_the_plain_backbone_gives_its_features():
    """Ordinary clips have no prompt that an export could lose."""
    model, clips = build(), batch()['key']
    model.loss(batch())
    plain = MODELS.build(BACKBONE)
    plain.load_state_dict(model.backbone.state_dict())
    expected = plain.eval()(clips).mean((1, 3, 4))
    torch.testing.assert_close(model.eval().extract_feat(clips), expected)


@pytest.mark.parametrize('mask', [None, [None]])
def test_a_view_without_a_mask_is_an_error(mask):
    with pytest.raises(ValueError, match='no joint is masked; end'):
        build().loss(dict(batch(), mask=mask))


def test_views_that_mask_nothing_are_found_when_it_is_built():
    with pytest.raises(ValueError, match='no joint is masked; end'):
        build(views=dict(levels=[[dict(type='SkeletonShear')]]))
    build(views=dict(levels=[[dict(type='SkeletonPartMask')]]))


def test_clips_of_which_nobody_made_views_are_an_error():
    with pytest.raises(ValueError, match='PCM3.loss: inputs are clips, not views'):
        build().loss(torch.randn(4, 1, 8, 20, 3))


def test_the_queue_is_sized_as_hiclrs():
    model = dict(type='PCM3', queue_size=None)
    MODELS.get('PCM3').fill(model, 284, 32)
    assert model['queue_size'] == 128
