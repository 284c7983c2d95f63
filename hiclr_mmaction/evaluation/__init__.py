"""Metrics, and scores that were dumped."""

from .knn_metric import KNNMetric, knn_predict
from .scores import Scores, read_scores

__all__ = ['KNNMetric', 'Scores', 'knn_predict', 'read_scores']
