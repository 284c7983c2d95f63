"""Weights in and out of files, and to and from other projects."""

from .export import export_checkpoint
from .from_hiclr import convert_hiclr, from_hiclr
from .matching import (
    build_model,
    check_match,
    check_pretrained,
    load_weights,
    matching_backbone,
)
from .onnx import export_onnx
from .reading import find_whole_checkpoint, load_file, load_safely, read_checkpoint
from .stored_config import config_of, model_cfg_of
from .to_layout import map_backbone
from .writing import write_checkpoint

__all__ = [
    'build_model',
    'check_match',
    'check_pretrained',
    'config_of',
    'convert_hiclr',
    'export_checkpoint',
    'export_onnx',
    'find_whole_checkpoint',
    'from_hiclr',
    'load_file',
    'load_safely',
    'load_weights',
    'map_backbone',
    'matching_backbone',
    'model_cfg_of',
    'read_checkpoint',
    'write_checkpoint',
]
