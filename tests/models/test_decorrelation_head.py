"""The losses against their formulas, in numpy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS


def build(**kwargs):
    return MODELS.build(dict(type='DecorrelationHead', **kwargs))


@pytest.fixture
def embeddings():
    """Three query views and the key view, not of unit length."""
    common = torch.randn(7, 5)
    views = [common + 0.5 * torch.randn(7, 5) + 3 for _ in range(4)]
    return [x.requires_grad_() for x in views[:3]], views[3].requires_grad_()


def as_numpy(*tensors):
    return [x.detach().double().numpy() for x in tensors]


def vicreg(a, b):
    def hinge(x):
        return np.maximum(0, 1 - np.sqrt(x.var(0, ddof=1) + 1e-4)).mean()

    def cross(x):
        c = np.cov(x.T)
        return ((c**2).sum() - (np.diag(c) ** 2).sum()) / len(c)

    return dict(
        invariance=((a - b) ** 2).mean(),
        variance=(hinge(a) + hinge(b)) / 2,
        covariance=cross(a) + cross(b),
    )


def barlow(a, b):
    d = a.shape[1]
    c = np.corrcoef(a.T, b.T)[:d, d:]
    on = np.diag(c)
    return dict(
        invariance=((1 - on) ** 2).sum() / d,
        redundancy=((c**2).sum() - (on**2).sum()) / d,
    )


@pytest.mark.parametrize(
    ('name', 'formula', 'weights'),
    [('vicreg', vicreg, (1, 1, 0.04)), ('barlow', barlow, (1, 0.005))],
)
@pytest.mark.parametrize('scaled', [False, True])
def test_weakest_view_and_key_are_decorrelated(
    embeddings, name, formula, weights, scaled
):
    queries, key = embeddings
    options = {}
    if scaled:
        weights = tuple(range(2, 2 + len(weights)))
        options = dict(weights=weights, level_weights=(0.5, 1, 1))
    losses = build(loss=name, **options).loss(queries, key)
    parts = formula(*as_numpy(queries[0], key))
    assert list(losses)[: len(parts)] == [f'loss_{part}' for part in parts]
    for (part, value), weight in zip(parts.items(), weights, strict=True):
        expected = value * weight * (0.5 if scaled else 1)
        assert losses[f'loss_{part}'].item() == pytest.approx(expected, rel=1e-4)


def cosine(a, b):
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (1 - (a * b).sum(1) / lengths).mean()


PULLS = dict(cosine=cosine, mse=lambda a, b: ((a - b) ** 2).mean())


@pytest.mark.parametrize('similarity', PULLS)
def test_each_stronger_view_is_pulled_to_the_one_below_it_alone(embeddings, similarity):
    queries, key = embeddings
    head = build(similarity=similarity, level_weights=(1, 0.25, 2))
    losses = head.loss(queries, key)
    numbers = as_numpy(*queries)
    for level, weight in ((1, 0.25), (2, 2)):
        expected = weight * PULLS[similarity](numbers[level], numbers[level - 1])
        assert losses[f'loss_level{level}'].item() == pytest.approx(expected, rel=1e-5)
        grads = torch.autograd.grad(
            losses[f'loss_level{level}'], queries, allow_unused=True
        )
        assert [g is not None for g in grads] == [i == level for i in range(3)]


def test_a_collapse_costs_the_whole_variance_and_shows_in_the_spread(embeddings):
    queries, key = embeddings
    same = [torch.ones_like(key)] * 3
    losses = build().loss(same, same[0])
    assert losses['loss_variance'] == pytest.approx(1 - 1e-2)
    assert losses['feature_spread'] == 0
    assert build().loss(queries, key)['feature_spread'] > 0.05


def test_half_precision_is_computed_in_float32(embeddings):
    queries, key = embeddings
    half = [x.detach().bfloat16() for x in (*queries, key)]
    with torch.autocast('cpu', torch.bfloat16):
        losses = build().loss(half[:3], half[3])
    whole = [x.float() for x in half]
    expected = build().loss(whole[:3], whole[3])
    for name, value in losses.items():
        assert value.dtype == torch.float32
        assert value == expected[name], name


def test_monitors_are_detached(embeddings):
    losses = build().loss(*embeddings)
    assert not losses['feature_spread'].requires_grad


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(loss='simclr'), "loss='simclr' is unknown; known are vicreg, barlow"),
        (dict(similarity='kl'), "similarity='kl' is unknown; known are cosine, mse"),
        (dict(weights=(1, 1)), r'weights=\(1, 1\): give 3 weights'),
        (dict(loss='barlow', weights=(1, -1)), r'weights=\(1, -1\): give numbers, 0'),
        (dict(level_weights=()), r'level_weights=\(\): give one weight'),
        (dict(level_weights=(1, float('nan'))), r'level_weights=\(1, nan\): give one'),
    ],
)
def test_settings_out_of_range_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_views_that_do_not_match_the_weights_are_an_error(embeddings):
    queries, key = embeddings
    with pytest.raises(ValueError, match='weighs 3 query levels, but the views have 2'):
        build().loss(queries[:2], key)


def test_one_clip_has_no_variance(embeddings):
    queries, key = embeddings
    with pytest.raises(ValueError, match='a batch of one clip has no variance'):
        build().loss([F.normalize(x[:1]) for x in queries], key[:1])
