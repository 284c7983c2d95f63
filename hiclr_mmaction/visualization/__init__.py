from .confusion import draw_confusion, most_confused
from .skeletons import animate_clip, draw_clip
from .views import View, animate_views, draw_views, sample_views

__all__ = [
    'View',
    'animate_clip',
    'animate_views',
    'draw_clip',
    'draw_confusion',
    'draw_views',
    'most_confused',
    'sample_views',
]
