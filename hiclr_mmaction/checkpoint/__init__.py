"""Conversion of weights to and from other projects."""

from .convert import convert_hiclr
from .export import export_checkpoint
from .files import (
    check_match,
    config_of,
    find_whole_checkpoint,
    model_cfg_of,
    read_checkpoint,
    write_checkpoint,
)
from .from_hiclr import from_hiclr
from .onnx import export_onnx

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
