# PCM3 on NW-UCLA, cross-view.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/pcm3_stgcn_small.py',
    '../_base_/datasets/nw_ucla.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]
