"""The loss of masked latent prediction against its formula, in numpy."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS


def build(**kwargs):
    return MODELS.build(dict(type='LatentPredictionHead', **kwargs))


@pytest.fixture
def maps():
    """Prediction and target of 8 frames in 4 of the map, and a mask."""
    prediction = torch.randn(3, 2, 5, 4, 6, requires_grad=True)
    target = torch.randn(3, 2, 5, 4, 6) * 3 + 2
    return prediction, target, torch.rand(3, 8, 6) < 0.6


def smooth_l1(x, beta):
    x = np.abs(x)
    if beta == 0:
        return x
    return np.where(x < beta, x**2 / (2 * beta), x - beta / 2)


@pytest.mark.parametrize('beta', [0, 0.5, 1.0])
@pytest.mark.parametrize('absent', [False, True])
def test_is_the_distance_to_standardised_targets_where_masked(maps, beta, absent):
    prediction, target, mask = maps
    present = torch.ones(3, 2, dtype=torch.bool)
    if absent:
        present[0, 1] = present[2, 0] = False
    out = build(beta=beta).loss(prediction, target, mask, present if absent else None)

    guess, right = (x.detach().double().numpy() for x in (prediction, target))
    channels = np.moveaxis(right, 2, -1)[present.numpy()].reshape(-1, 5)
    mean, std = channels.mean(0), channels.std(0)
    errors, weights, guesses, rights = [], [], [], []
    for n, m in present.nonzero().tolist():
        for t in range(4):
            for v in range(6):
                weight = mask[n, 2 * t : 2 * t + 2, v].float().mean().item()
                z = (right[n, m, :, t, v] - mean) / std
                p = guess[n, m, :, t, v]
                errors.append(weight * smooth_l1(p - z, beta).mean())
                weights.append(weight)
                guesses.append(weight * p)
                rights.append(weight * z)
    expected = np.sum(errors) / np.sum(weights)
    assert out['loss_latent'].item() == pytest.approx(expected, rel=1e-4)
    a, b = np.concatenate(guesses), np.concatenate(rights)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert out['latent_cosine'].item() == pytest.approx(cosine, abs=1e-5)


def test_only_masked_positions_have_a_gradient(maps):
    prediction, target, mask = maps
    build().loss(prediction, target, mask)['loss_latent'].backward()
    masked = mask.view(3, 4, 2, 6).any(2)
    moved = (prediction.grad != 0).all(2).all(1)
    assert torch.equal(moved, masked)


def test_the_spread_is_that_of_the_clips(maps):
    prediction, target, mask = maps
    head = build()
    assert head.loss(prediction, target, mask)['feature_spread'] > 0.05
    same = target[:1].expand(3, -1, -1, -1, -1)
    out = head.loss(prediction, same, mask)
    assert out['feature_spread'] < 1e-4
    assert not out['feature_spread'].requires_grad


@pytest.mark.parametrize('beta', [-1, float('nan'), float('inf')])
def test_beta_out_of_range_is_an_error(beta):
    with pytest.raises(ValueError, match=f'beta={beta} is out of range'):
        build(beta=beta)
