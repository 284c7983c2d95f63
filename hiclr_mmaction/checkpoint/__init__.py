"""Conversion of weights to and from other projects."""

from .checkpoint_file import (
    check_match,
    config_of,
    find_whole_checkpoint,
    model_cfg_of,
    read_checkpoint,
    write_checkpoint,
)
from .export import export_checkpoint
from .from_hiclr import from_hiclr
from .onnx import export_onnx
from .released_checkpoint import convert_hiclr

__all__ = [
    'check_match',
    'config_of',
    'convert_hiclr',
    'export_checkpoint',
    'export_onnx',
    'find_whole_checkpoint',
    'from_hiclr',
    'model_cfg_of',
    'read_checkpoint',
    'write_checkpoint',
]
