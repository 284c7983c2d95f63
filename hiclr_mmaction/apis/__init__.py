"""For those who write no config: arrays in, features out."""

from .encoder import SkeletonEncoder, extract_features, init_encoder

__all__ = ['SkeletonEncoder', 'extract_features', 'init_encoder']
