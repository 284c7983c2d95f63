"""k-NN accuracy: against scikit-learn, and through mmengine's evaluator."""

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from sklearn.neighbors import KNeighborsClassifier

from hiclr_mmaction.evaluation import knn_predict


def features(n, classes=4, dim=8):
    labels = torch.randint(classes, (n,))
    centres = torch.randn(classes, dim, generator=torch.Generator().manual_seed(5))
    return centres[labels] + torch.randn(n, dim), labels


@pytest.mark.parametrize('chunk_size', [1, 7, 1024])
def test_k1_agrees_with_scikit_learn(chunk_size):
    bank, bank_labels = features(200)
    queries, _ = features(50)
    reference = KNeighborsClassifier(1, metric='cosine').fit(bank, bank_labels)
    ours = knn_predict(queries, bank, bank_labels, (1,), chunk_size)[1]
    np.testing.assert_array_equal(ours, reference.predict(queries))


def test_k20_agrees_with_scikit_learn_where_there_is_no_tie():
    bank, bank_labels = features(300)
    queries, _ = features(80)
    reference = KNeighborsClassifier(20, metric='cosine').fit(bank, bank_labels)
    shares = np.sort(reference.predict_proba(queries), axis=1)
    clear = shares[:, -1] > shares[:, -2]
    assert clear.sum() > 40
    ours = knn_predict(queries, bank, bank_labels, (20,))[20].numpy()
    np.testing.assert_array_equal(ours[clear], reference.predict(queries)[clear])


def test_tie_goes_to_the_nearer_voters():
    bank = torch.tensor([[1.0, 0.1], [1, 0.2], [1, -0.3], [1, -0.4]])
    labels = torch.tensor([1, 1, 0, 0])
    query = torch.tensor([[1.0, 0.0]])
    assert knn_predict(query, bank, labels, (4,))[4].item() == 1
    assert knn_predict(query, bank.flip(1), labels, (4,))[4].item() in (0, 1)
    assert (
        knn_predict(query * torch.tensor([1.0, -1]), bank, 1 - labels, (4,))[4].item()
        == 0
    )


def test_scale_does_not_matter_and_more_neighbours_than_the_bank_are_all_of_it():
    bank, labels = features(10)
    queries, _ = features(5)
    a = knn_predict(queries, bank, labels, (1, 20))
    b = knn_predict(5 * queries, 0.1 * bank, labels, (1, 20))
    assert torch.equal(a[1], b[1])
    assert torch.equal(a[20], b[20])


def samples(labels, bank):
    out = []
    for label in labels:
        sample = ActionDataSample()
        if label is not None:
            sample.set_gt_label(int(label))
        sample.set_metainfo(dict(knn_bank=bank, frame_dir='clip'))
        out.append(sample)
    return out


def evaluate(parts, **kwargs):
    evaluator = Evaluator([METRICS.build(dict(type='KNNMetric', **kwargs))])
    count = 0
    for x, labels, bank in parts:
        batch = dict(inputs=x, data_samples=samples(labels, bank))
        evaluator.process(data_samples=x, data_batch=batch)
        count += len(x)
    return evaluator.evaluate(count)


def test_accuracy_of_what_is_not_in_the_bank():
    bank, bank_labels = features(60)
    queries, labels = features(25)
    first, second = (bank[:30], bank_labels[:30]), (bank[30:], bank_labels[30:])
    out = evaluate([(*first, True), (*second, True), (queries, labels, False)])
    assert list(out) == ['knn/k1', 'knn/k5', 'knn/k20']
    for k in (1, 5, 20):
        predicted = knn_predict(queries, bank, bank_labels, (k,))[k]
        assert out[f'knn/k{k}'] == pytest.approx(
            (predicted == labels).float().mean().item()
        )


def test_bank_and_queries_may_come_mixed():
    bank, bank_labels = features(40)
    queries, labels = features(20)
    a = evaluate([(bank, bank_labels, True), (queries, labels, False)], ks=(1,))
    b = evaluate([(queries, labels, False), (bank, bank_labels, True)], ks=(1,))
    assert a == b


def test_missing_bank_and_missing_queries_are_errors_with_the_remedy():
    x, labels = features(4)
    with pytest.raises(
        ValueError, match=r'no labelled clip in the bank.*knn_bank=True'
    ):
        evaluate([(x, labels, False)])
    with pytest.raises(ValueError, match='no labelled clip to classify'):
        evaluate([(x, labels, True)])


def test_clips_without_a_label_are_left_out():
    (bank, bank_labels), (queries, labels) = features(40), features(20)
    expected = evaluate([(bank[:30], bank_labels[:30], True), (queries, labels, False)])
    few = [*bank_labels[:30], *[None] * 5, *[-1] * 5]
    parts = [(bank, few, True), (queries, labels, False), (queries, [None] * 20, False)]
    assert evaluate(parts) == expected
    with pytest.raises(ValueError, match='no labelled clip to classify'):
        evaluate([(bank, bank_labels, True), (queries, [None] * 20, False)])


def test_no_neighbours_is_an_error():
    with pytest.raises(ValueError, match=r'ks=\(0,\)'):
        METRICS.build(dict(type='KNNMetric', ks=(0,)))


def test_several_sets_are_classified_one_by_one():
    metric = METRICS.build(dict(type='KNNMetric', ks=(1,)))
    # Of `a` all are right, of `b` half; together each clip would lie nearest to one of
    # the other set.
    for name, feature, label, bank in [
        ('a', (1.0, 0.0), 0, True), ('a', (0.0, 1.0), 1, True),
        ('a', (1.0, 0.5), 0, False), ('a', (0.5, 1.0), 1, False),
        ('b', (1.0, 0.5), 7, True), ('b', (0.5, 1.0), 8, True),
        ('b', (1.0, 0.0), 7, False), ('b', (0.0, 1.0), 7, False),
    ]:  # fmt: skip
        sample = ActionDataSample(metainfo=dict(knn_bank=bank, set_name=name))
        sample.set_gt_label(label)
        metric.process(dict(data_samples=[sample]), [torch.tensor(feature)])
    found = metric.evaluate(8)
    assert found == {'knn/a/k1': 1.0, 'knn/b/k1': 0.5, 'knn/k1': 0.75}


def test_clips_of_no_set_among_others_are_refused():
    metric = METRICS.build(dict(type='KNNMetric'))
    for name in (None, 'a'):
        meta = dict(knn_bank=True) if name is None else dict(set_name=name)
        sample = ActionDataSample(metainfo=meta)
        sample.set_gt_label(0)
        metric.process(dict(data_samples=[sample]), [torch.ones(2)])
    with pytest.raises(ValueError, match='1 clips name no set'):
        metric.evaluate(2)
