"""The losses against their formulas."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS


def build(**kwargs):
    return MODELS.build(dict(type='HierarchicalContrastHead', **kwargs))


@pytest.fixture
def embeddings():
    def unit(n):
        return F.normalize(torch.randn(n, 16), dim=1)

    queries = [unit(5).requires_grad_() for _ in range(3)]
    return queries, unit(5), unit(40)


def distribution(query, key, queue, temperature=0.07):
    logits = torch.cat([(query * key).sum(1, keepdim=True), query @ queue.T], 1)
    return (logits / temperature).softmax(1)


def test_contrast_is_cross_entropy_with_the_key_first(embeddings):
    queries, key, queue = embeddings
    p = distribution(queries[0], key, queue)
    losses = build().loss(queries, key, queue)
    torch.testing.assert_close(losses['loss_contrast'], -p[:, 0].log().mean())


FORMULAS = {
    'kl': lambda p, q, a, b: -(q * p.log()).sum(1).mean(),
    'js': lambda p, q, a, b: (
        0.5 * (p * (2 * p / (p + q)).log()).sum(1)
        + 0.5 * (q * (2 * q / (p + q)).log()).sum(1)
    ).mean(),
    'cosine': lambda p, q, a, b: 1 - F.cosine_similarity(a, b).mean(),
    'mse': lambda p, q, a, b: ((a - b) ** 2).sum(1).mean(),
}


@pytest.mark.parametrize('similarity', FORMULAS)
def test_level_compares_each_view_with_the_weaker_one_next_to_it(
    embeddings, similarity
):
    queries, key, queue = embeddings
    p = [distribution(q, key, queue) for q in queries]
    losses = build(similarity=similarity, level_weights=(1, 0.25, 2)).loss(
        queries, key, queue
    )
    for level, weight in ((1, 0.25), (2, 2)):
        expected = weight * FORMULAS[similarity](
            p[level], p[level - 1], queries[level], queries[level - 1]
        )
        torch.testing.assert_close(losses[f'loss_level{level}'], expected)


@pytest.mark.parametrize('similarity', FORMULAS)
class TestAsymmetry:
    def gradients(self, embeddings, **kwargs):
        queries, key, queue = embeddings
        loss = build(**kwargs).loss(queries, key, queue)['loss_level1']
        return torch.autograd.grad(loss, queries[:2], allow_unused=True)

    def test_only_the_stronger_view_is_pulled(self, embeddings, similarity):
        weaker, stronger = self.gradients(embeddings, similarity=similarity)
        assert weaker is None or not weaker.any()
        assert stronger.abs().max() > 0

    def test_off_pulls_both(self, embeddings, similarity):
        weaker, stronger = self.gradients(
            embeddings, similarity=similarity, asymmetric=False
        )
        assert weaker.abs().max() > 0
        assert stronger.abs().max() > 0

    def test_equal_views_are_at_a_minimum(self, embeddings, similarity):
        queries, key, queue = embeddings
        same = queries[0].detach().clone().requires_grad_()
        head = build(similarity=similarity, level_weights=(1, 1))
        loss = head.loss([queries[0], same], key, queue)['loss_level1']
        (gradient,) = torch.autograd.grad(loss, same)
        # Along the sphere; 'cosine' has a gradient that only lengthens the vector.
        along = gradient - (gradient * same).sum(1, keepdim=True) * same
        assert along.abs().max() < 1e-5


def test_mining_makes_the_nearest_of_every_level_positive(embeddings):
    queries, key, queue = embeddings
    head = build()
    logits = head.logits(queries, key, queue)
    positives = head.positives(logits, num_neighbors=1)
    for i in range(5):
        nearest = {int(level[i, 1:].argmax()) + 1 for level in logits}
        assert set(positives[i].nonzero().flatten().tolist()) == {0} | nearest
    log_prob = distribution(queries[0], key, queue).log()
    expected = (-(log_prob * positives).sum(1) / positives.sum(1)).mean()
    loss = head.loss(queries, key, queue, num_neighbors=1)['loss_contrast']
    torch.testing.assert_close(loss, expected)


def test_one_level_is_moco(embeddings):
    queries, key, queue = embeddings
    losses = build(level_weights=(1.0,)).loss(queries[:1], key, queue)
    assert [k for k in losses if 'loss' in k] == ['loss_contrast']


def test_half_precision_embeddings_are_compared_in_single(embeddings):
    queries, key, queue = embeddings
    logits = build().logits(
        [q.detach().bfloat16() for q in queries], key.bfloat16(), queue.bfloat16()
    )
    assert all(level.dtype == torch.float32 for level in logits)


class TestMonitors:
    def test_accuracy_counts_keys_nearer_than_the_queue(self):
        queue = F.normalize(torch.randn(30, 16), dim=1)
        key = F.normalize(torch.randn(4, 16), dim=1)
        query = torch.cat([key[:3], queue[:1]])  # three hits and a miss
        out = build(level_weights=(1,)).loss([query], key, queue)
        assert out['contrast_accuracy'] == 0.75

    def test_collapse_shows_as_no_spread_and_no_accuracy(self):
        one = F.normalize(torch.randn(1, 16), dim=1)
        out = build(level_weights=(1,)).loss(
            [one.repeat(8, 1)], one.repeat(8, 1), one.repeat(9, 1)
        )
        assert out['feature_spread'] < 1e-5
        assert out['contrast_accuracy'] == 0

    def test_spread_of_the_sphere_is_one(self):
        x = F.normalize(torch.randn(5000, 64), dim=1)
        out = build(level_weights=(1,)).loss([x], x, x[:10])
        assert abs(out['feature_spread'] - 1) < 0.01

    def test_batch_of_one_has_no_nan(self):
        x = F.normalize(torch.randn(1, 8), dim=1)
        out = build(level_weights=(1,)).loss([x], x, x)
        assert torch.isfinite(out['feature_spread'])


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(temperature=0), 'temperature=0 is not positive'),
        (dict(level_weights=()), r'level_weights=\(\): give one weight'),
        (dict(level_weights=(1, -1)), r'level_weights=\(1, -1\)'),
        (
            dict(similarity='l1'),
            "similarity='l1' is unknown; known are kl, js, cosine, mse",
        ),
    ],
)
def test_argument_out_of_range_is_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)
