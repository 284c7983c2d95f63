"""Pictures of skeletons, views, features, curves and confusions."""

from .confusion import draw_confusion, most_confused
from .curves import DEFAULT_KEYS, draw_curves, pick_keys, read_run
from .features import METHODS, check_method, draw_features, embed_features
from .skeletons import Stage, animate_clips, draw_clip, to_pixels
from .viewer import viewer_page
from .views import View, animate_views, draw_views, sample_views

__all__ = [
    'DEFAULT_KEYS',
    'METHODS',
    'Stage',
    'View',
    'animate_clips',
    'animate_views',
    'check_method',
    'draw_clip',
    'draw_confusion',
    'draw_curves',
    'draw_features',
    'draw_views',
    'embed_features',
    'most_confused',
    'pick_keys',
    'read_run',
    'sample_views',
    'to_pixels',
    'viewer_page',
]
