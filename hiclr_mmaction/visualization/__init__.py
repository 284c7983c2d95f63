from .skeletons import draw_clip

__all__ = ['draw_clip']
