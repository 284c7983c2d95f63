"""Released weights: where each goes, and what is refused."""

import pytest
import torch
from helpers.references import load_reference
from mmaction.registry import MODELS

from hiclr_mmaction.checkpoint import from_hiclr

BACKBONE = dict(
    type='HiCLRSTGCN', graph_cfg=dict(layout='nturgb+d-stgcn', mode='stgcn_spatial')
)


def released(name):
    ref = load_reference(name)
    return {
        k.removeprefix('weight.'): v for k, v in ref.items() if k.startswith('weight.')
    }


def hiclr():
    return MODELS.build(
        dict(
            type='HiCLR',
            backbone=BACKBONE,
            neck=dict(type='SkeletonProjector'),
            head=dict(type='HierarchicalContrastHead'),
            queue_size=256,
        )
    )


def test_pretraining_weights_fill_the_whole_model():
    result = hiclr().load_state_dict(from_hiclr(released('pretrain_step')))
    assert result.missing_keys == result.unexpected_keys == []


def test_every_released_number_is_kept():
    weights = released('pretrain_step')
    adjacency = [k for k in weights if k.endswith('.A')]
    assert len(adjacency) == 2
    converted = from_hiclr(weights)

    def numbers(state):
        return torch.cat([v.double().flatten() for v in state.values()]).sort().values

    theirs = {k: v for k, v in weights.items() if k not in adjacency}
    added = ('key_encoder.steps', '_mining_active')
    ours = {
        k: v for k, v in converted.items() if not k.endswith('.A') and k not in added
    }
    assert torch.equal(numbers(ours), numbers(theirs))


def test_loaded_key_encoder_is_averaged_and_not_overwritten():
    model = hiclr()
    weights = released('pretrain_step')
    weights['encoder_k.fc.2.bias'] = weights['encoder_q.fc.2.bias'] + 1
    model.load_state_dict(from_hiclr(weights))
    before = model.key_encoder.module.neck.mlp[2].bias.clone()
    model.key_encoder.update_parameters(model.query_encoder)
    after = model.key_encoder.module.neck.mlp[2].bias
    torch.testing.assert_close(after, before - 0.001)


def test_other_adjacency_is_refused():
    weights = released('pretrain_step')
    with pytest.raises(
        ValueError, match="encoder_q.A is not the adjacency of layout 'nturgb"
    ):
        from_hiclr(weights, layout='nturgb+d')
    with pytest.raises(ValueError, match="is not the adjacency of layout 'kinect20'"):
        from_hiclr(weights, layout='kinect20')


@pytest.mark.parametrize(
    'key', ['encoder_q.lstm.weight', 'module.encoder_q.A', 'epoch']
)
def test_unknown_key_is_named(key):
    weights = dict(released('inference'), **{key: torch.zeros(1)})
    with pytest.raises(ValueError, match=f'{key} is not an entry'):
        from_hiclr(weights)
