"""Python API without a config: arrays in, features out.

An encoder of the zoo needs only torch and numpy; other parts are imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .features import extract_features
from .initialisation import init_encoder

if TYPE_CHECKING:
    from .encoder import SkeletonEncoder
    from .labelled import (
        PARTS,
        LabelledFeatures,
        baseline_clips,
        build_dataset,
        check_labels,
        class_names,
        dataset_features,
        featureless_clips,
        nearest_clips,
    )

__all__ = [
    'PARTS',
    'LabelledFeatures',
    'SkeletonEncoder',
    'baseline_clips',
    'build_dataset',
    'check_labels',
    'class_names',
    'dataset_features',
    'extract_features',
    'featureless_clips',
    'init_encoder',
    'nearest_clips',
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = '.encoder' if name == 'SkeletonEncoder' else '.labelled'
    return getattr(importlib.import_module(module, __name__), name)
