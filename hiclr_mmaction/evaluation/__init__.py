"""Metrics, and scores that were dumped."""

from .fusion import accuracies, check_same_clips, fuse_scores
from .knn_metric import KNNMetric, knn_predict
from .scores import DumpScores, Scores, read_scores

__all__ = [
    'DumpScores',
    'KNNMetric',
    'Scores',
    'accuracies',
    'check_same_clips',
    'fuse_scores',
    'knn_predict',
    'read_scores',
]
