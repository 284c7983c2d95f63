"""Scores are read as mmengine dumps them, and nothing in the file is run."""

import os
import pickle

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import DumpResults

from hiclr_mmaction.evaluation import DumpScores, read_scores

SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])


def dump(tmp_path, kind=DumpResults, meta=None):
    """The file that a metric writes for two clips."""
    samples = []
    for name, label, scores in zip('ab', (0, 1), SCORES, strict=True):
        sample = ActionDataSample(metainfo=dict(frame_dir=name))
        sample.set_gt_label(label).set_pred_score(torch.tensor(scores).float())
        sample.set_pred_label(int(scores.argmax()))
        samples.append(sample.to_dict())
    path = tmp_path / 'scores.pkl'
    metric = kind(str(path))
    metric.dataset_meta = meta
    metric.process({}, samples)
    metric.evaluate(2)
    return path


@pytest.fixture
def dumped(tmp_path):
    return dump(tmp_path)


@pytest.mark.parametrize(
    ('classes', 'known'), [('xyz', ['x', 'y', 'z']), ('xy', None), (None, None)]
)
def test_class_names_are_stored_and_read_if_there_is_one_per_score(
    tmp_path, classes, known
):
    read = read_scores(dump(tmp_path, DumpScores, dict(classes=classes)))
    assert read.classes == known
    assert read.names == ['a', 'b']


def test_scores_labels_and_names_are_those_of_the_dump(dumped):
    read = read_scores(dumped)
    np.testing.assert_allclose(read.scores, SCORES, atol=1e-7)
    np.testing.assert_array_equal(read.labels, [0, 1])
    np.testing.assert_array_equal(read.predicted, [0, 2])
    assert read.names == ['a', 'b']


class _Runs:
    def __reduce__(self):
        return os.mkdir, ('made_by_a_pickle',)


class _Storage:
    """A tensor's numbers, with a program in their place."""

    def __reduce__(self):
        return torch.storage._load_from_bytes, (pickle.dumps(_Runs()),)


@pytest.mark.parametrize('nasty', [_Runs(), _Storage()])
def test_a_file_that_would_run_code_is_refused(nasty, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'scores.pkl'
    path.write_bytes(pickle.dumps([dict(pred_score=nasty, gt_label=0)]))
    with pytest.raises(ValueError, match=str(path)):
        read_scores(path)
    assert not (tmp_path / 'made_by_a_pickle').exists()


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ([dict(gt_label=0)], 'pred_score'),
        ([], 'holds no scores'),
        (dict(a=1), 'holds no scores'),
        ([dict(pred_score=np.ones(2), gt_label=2)], 'labels 2 to 2 do not go with'),
        ([dict(pred_score=np.ones(2), gt_label=np.arange(2))], 'holds no scores'),
    ],
)
def test_a_file_of_something_else_is_named(rows, message, tmp_path):
    path = tmp_path / 'scores.pkl'
    path.write_bytes(pickle.dumps(rows))
    with pytest.raises(ValueError, match=message):
        read_scores(path)
