"""For those who write no config: arrays in, features out."""

from .encoder import SkeletonEncoder, extract_features, init_encoder
from .labelled import LabelledFeatures, build_dataset, class_names, dataset_features

__all__ = [
    'LabelledFeatures',
    'SkeletonEncoder',
    'build_dataset',
    'class_names',
    'dataset_features',
    'extract_features',
    'init_encoder',
]
