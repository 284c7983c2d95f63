"""Pre-trained encoders in the package. They need only torch and numpy."""

from .encoder import ZooEncoder
from .files import (
    DEFAULT,
    WEIGHTS,
    ZOO,
    example_clips,
    find_weights,
    read_weights,
    weights_path,
)

__all__ = [
    'DEFAULT',
    'WEIGHTS',
    'ZOO',
    'ZooEncoder',
    'example_clips',
    'find_weights',
    'read_weights',
    'weights_path',
]
