"""Pre-trained encoders in the package. They need only torch and numpy."""

from .encoder import ZooEncoder
from .files import DEFAULT, ZOO, read_weights, weights_path

__all__ = ['DEFAULT', 'ZOO', 'ZooEncoder', 'read_weights', 'weights_path']
