"""Pure functions on skeletons: no registry, no configuration, no input or output."""

from .align import (
    Tracking,
    align_clip,
    center_on,
    face_camera,
    fill_gaps,
    hiclr_align,
    measured_joints,
    num_tracked_frames,
    resample,
    track,
)
from .layouts import LAYOUTS, SkeletonLayout, get_layout
from .pooling import (
    blocks_of,
    check_layers,
    check_pool,
    checked_pool,
    layer_features,
    pool_map,
    pool_skeleton,
    pooled_channels,
    side_by_side,
)
from .streams import STREAMS, to_bone, to_motion, to_stream

__all__ = [
    'LAYOUTS',
    'STREAMS',
    'SkeletonLayout',
    'Tracking',
    'align_clip',
    'blocks_of',
    'center_on',
    'check_layers',
    'check_pool',
    'checked_pool',
    'face_camera',
    'fill_gaps',
    'get_layout',
    'hiclr_align',
    'layer_features',
    'measured_joints',
    'num_tracked_frames',
    'pool_map',
    'pool_skeleton',
    'pooled_channels',
    'resample',
    'side_by_side',
    'to_bone',
    'to_motion',
    'to_stream',
    'track',
]
