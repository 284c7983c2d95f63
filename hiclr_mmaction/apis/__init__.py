"""Python API without a config: arrays in, features out."""

from .encoder import SkeletonEncoder, extract_features, init_encoder
from .labelled import (
    PARTS,
    LabelledFeatures,
    build_dataset,
    class_names,
    dataset_features,
    nearest_clips,
)

__all__ = [
    'PARTS',
    'LabelledFeatures',
    'SkeletonEncoder',
    'build_dataset',
    'class_names',
    'dataset_features',
    'extract_features',
    'init_encoder',
    'nearest_clips',
]
