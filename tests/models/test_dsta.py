"""The transformer: parity with the released one, shapes, perturbed attention."""

import pytest
import torch
from helpers.references import load_reference
from mmaction.registry import MODELS

from hiclr_mmaction.checkpoint import from_hiclr
from hiclr_mmaction.models.modules import EdgePerturbation

TINY = [[8, 8, 4, 1], [8, 16, 4, 2]]


def released():
    ref = load_reference('dsta')
    weights = {k: v for k, v in ref.items() if k.startswith('weight.')}
    return ref, {k.replace('weight', 'encoder_q', 1): v for k, v in weights.items()}


def build(**kwargs):
    return MODELS.build(dict(type='DSTANet', **kwargs))


def test_inference_is_the_released_codes():
    ref, weights = released()
    model = torch.nn.ModuleDict(
        dict(
            backbone=build(),
            cls_head=MODELS.build(
                dict(type='GCNHead', num_classes=60, in_channels=256)
            ),
        )
    )
    model.load_state_dict(from_hiclr(weights))
    model.eval()
    with torch.no_grad():
        feature_map = model['backbone'](ref['input'])
        logits = model['cls_head'](feature_map)
    feature = feature_map.mean((-2, -1)).mean(1)
    torch.testing.assert_close(feature, ref['out.feature'], rtol=0, atol=1e-5)
    torch.testing.assert_close(logits, ref['out.logits'], rtol=0, atol=1e-5)


def test_stored_positions_win_over_computed_ones():
    _, weights = released()
    pe = torch.randn(1, 32, 1, 25).expand(1, 32, 50, 25)
    weights['encoder_q.graph_layers.0.pes.pe'] = pe
    converted = from_hiclr(weights)
    assert torch.equal(converted['backbone.blocks.0.attention.position'], pe[0, :, :1])
    assert 'backbone.blocks.1.attention.position' in converted


def test_pretraining_weights_fill_the_whole_model():
    _, weights = released()
    del weights['encoder_q.fc.weight'], weights['encoder_q.fc.bias']
    for i, shape in ((0, (256, 256)), (2, (128, 256))):
        weights[f'encoder_q.fc.{i}.weight'] = torch.randn(shape)
        weights[f'encoder_q.fc.{i}.bias'] = torch.randn(shape[0])
    weights |= {k.replace('encoder_q', 'encoder_k'): v for k, v in weights.items()}
    weights['queue'] = torch.randn(128, 64)
    weights['queue_ptr'] = torch.tensor([8])
    weights['mask_param'] = torch.zeros(1)
    model = MODELS.build(
        dict(
            type='HiCLR',
            backbone=dict(type='DSTANet'),
            neck=dict(type='SkeletonProjector'),
            head=dict(type='HierarchicalContrastHead'),
            queue_size=64,
        )
    )
    result = model.load_state_dict(from_hiclr(weights))
    assert result.missing_keys == result.unexpected_keys == []


def test_weights_for_other_joints_are_refused():
    _, weights = released()
    with pytest.raises(ValueError, match="for 25 joints, layout 'kinect20' has 20"):
        from_hiclr(weights, layout='kinect20')


def test_temporal_attention_is_refused():
    _, weights = released()
    weights['encoder_q.graph_layers.0.in_nett.weight'] = torch.zeros(1)
    with pytest.raises(ValueError, match='in_nett.weight is not an entry'):
        from_hiclr(weights)


def test_any_frames_persons_joints_and_coordinates():
    model = build(num_joints=17, in_channels=2, stages=TINY)
    assert model(torch.randn(3, 1, 9, 17, 2)).shape == (3, 1, 16, 5, 17)
    assert model(torch.randn(1, 4, 20, 17, 2)).shape == (1, 4, 16, 10, 17)


def test_attention_is_of_each_clip():
    model = build(stages=TINY).eval()
    attention = model.blocks[0].attention
    out = attention(torch.randn(4, 8, 6, 25))
    assert out.shape == (4, 3, 25, 25)
    assert (out[0] - out[1]).abs().max() > 1e-4


def test_dropout_is_on_the_residual_path_of_the_temporal_convolution():
    model = build(stages=TINY, dropout=1.0).train()
    block = model.blocks[0]
    block.tcn.register_forward_hook(lambda m, i, out: torch.zeros_like(out))
    assert (block(torch.randn(2, 8, 6, 25)) == 0).all()


@pytest.mark.parametrize(
    ('stages', 'message'),
    [
        ([[8, 8, 4, 1], [16, 16, 4, 1]], r'stages\[1\] takes 16 channels'),
        ([[8, 8, 4]], 'give each block four numbers'),
        ([], 'give each block four numbers'),
    ],
)
def test_stages_that_do_not_fit_are_an_error(stages, message):
    with pytest.raises(ValueError, match=message):
        build(stages=stages)


def test_other_number_of_joints_is_an_error():
    with pytest.raises(ValueError, match='num_joints=25, but the clips have 20 joints'):
        build(stages=TINY)(torch.randn(1, 1, 8, 20, 3))


class TestEdges:
    def test_attention_is_perturbed_for_one_forward_and_each_clip_apart(self):
        model = build(stages=TINY).eval()
        perturbation = EdgePerturbation(model, drop=0.9, add=0.0)
        seen = []
        handle = model.blocks[0].mix.register_forward_pre_hook(
            lambda m, args: seen.append(args[0].detach())
        )
        x = torch.randn(1, 1, 8, 25, 3).repeat(2, 1, 1, 1, 1)
        plain = model(x)
        strong = perturbation(model, x)
        assert torch.equal(model(x), plain)  # nothing is left behind
        handle.remove()
        assert not torch.allclose(strong, plain)
        assert torch.equal(seen[0][0], seen[0][1])
        assert not torch.equal(seen[1][0], seen[1][1])

    def test_added_edges_are_as_strong_as_the_mean_one(self):
        perturbation = EdgePerturbation(build(stages=TINY), drop=0.0, add=0.5)
        edges = torch.randn(2, 3, 25, 25)
        edges[:, :, 0] = 0
        out = perturbation.perturb(edges, add_mean=True)
        added = out[:, :, 0]
        assert (added != 0).any()
        strengths = added[added != 0]
        torch.testing.assert_close(strengths, strengths[:1].expand_as(strengths))
        scale = (out / edges)[:, :, 1:].mean()
        torch.testing.assert_close(strengths[0], edges.mean() * scale)
        torch.testing.assert_close(out.mean(), edges.mean())

    def test_gradients_reach_the_attention_through_perturbed_edges(self):
        model = build(stages=TINY)
        out = EdgePerturbation(model, drop=0.3, add=0.2)(
            model, torch.randn(2, 1, 8, 25, 3)
        )
        out.square().mean().backward()
        for block in model.blocks:
            assert block.attention.shared.grad.abs().max() > 0
            assert block.attention.embed.weight.grad.abs().max() > 0

    def test_a_backbone_without_edges_is_an_error(self):
        with pytest.raises(ValueError, match='keeps no adjacency in a parameter or'):
            EdgePerturbation(torch.nn.Linear(3, 3))
