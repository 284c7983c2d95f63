"""The losses of PCM3 against their formulas, in numpy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS


def build(**kwargs):
    return MODELS.build(dict(type='PCM3Head', in_channels=8, **kwargs))


@pytest.fixture
def embeddings():
    """Of query, masked, predicted, mixed view, key and partner, and the queue."""
    rows = [torch.randn(5, 16) for _ in range(6)] + [torch.randn(12, 16)]
    return [F.normalize(x, dim=1) for x in rows]


def log_softmax(x):
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def info_nce(z, key, queue, temperature):
    logits = np.concatenate([(z * key).sum(1, keepdims=True), z @ queue.T], axis=1)
    return -log_softmax(logits / temperature)[:, 0]


def test_is_the_contrast_of_four_views(embeddings):
    query, masked, predicted, mixed, key, partner, queue = embeddings
    kept = torch.tensor([0.1, 0.3, 0.5, 0.8, 1.0])
    head = build(
        temperature=0.2,
        student_temperature=0.3,
        teacher_temperature=0.1,
        mixed_weight=2.0,
        masked_weight=3.0,
        predicted_weight=4.0,
    )
    out = head.loss(query, masked, predicted, key, queue, (mixed, partner, kept))

    q, m, p, x, k, b, memory = (e.double().numpy() for e in embeddings)
    share = kept.double().numpy()
    teacher = np.exp(log_softmax(k @ memory.T / 0.1))
    expected = dict(loss_contrast=info_nce(q, k, memory, 0.2).mean())
    for name, weight, z in [('masked', 3, m), ('predicted', 4, p)]:
        pull = -(teacher * log_softmax(z @ memory.T / 0.3)).sum(1)
        total = info_nce(z, k, memory, 0.2) + pull
        expected[f'loss_{name}'] = weight * total.mean()
    both = share * info_nce(x, k, memory, 0.2)
    both += (1 - share) * info_nce(x, b, memory, 0.2)
    expected['loss_mixed'] = 2 * both.mean()
    losses = {name: value for name, value in out.items() if 'loss' in name}
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value, rel=1e-4), name


def test_without_a_mixed_view_has_no_loss_of_it(embeddings):
    query, masked, predicted, _, key, _, queue = embeddings
    head = build(mixed_weight=0.0)
    assert 'loss_mixed' not in head.loss(query, masked, predicted, key, queue)


def test_prediction_loss_is_the_mean_over_the_masked_coordinates_of_each_clip():
    guess, right = torch.randn(2, 3, 2, 6, 4, 3)
    where = torch.rand(3, 2, 6, 4, 3) < 0.3
    where[2] = False  # nothing was masked
    out = build(prediction_weight=5.0).prediction_loss(guess, right, where)
    errors = [
        ((guess[i] - right[i])[where[i]].double().numpy() ** 2).mean() for i in (0, 1)
    ]
    assert out['loss_prediction'].item() == pytest.approx(5 * sum(errors) / 3, rel=1e-4)


def test_decodes_a_map_to_all_frames_of_a_clip():
    head = build(hid_channels=4)
    torch.nn.init.normal_(head.read.weight)
    x = torch.randn(2, 3, 8, 5, 6)
    out = head.decode(x, 20)
    assert out.shape == (2, 3, 20, 6, 3)
    alone = head.decode(x[1:, 2:], 20)
    torch.testing.assert_close(alone[0, 0], out[1, 2])


def test_map_of_another_width_names_both():
    with pytest.raises(ValueError, match='in_channels=8, but the backbone gives 9'):
        build().decode(torch.randn(1, 1, 9, 5, 6), 20)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('temperature', 0),
        ('student_temperature', 0),
        ('teacher_temperature', float('nan')),
        ('mixed_weight', -1),
        ('prediction_weight', float('inf')),
    ],
)
def test_argument_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=f'{name}={value} is'):
        build(**{name: value})
