from .confusion import draw_confusion, most_confused
from .skeletons import draw_clip

__all__ = ['draw_clip', 'draw_confusion', 'most_confused']
