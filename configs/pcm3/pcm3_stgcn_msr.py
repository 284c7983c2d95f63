# PCM3 on MSR-Action3D, cross-subject.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/pcm3_stgcn_small.py',
    '../_base_/datasets/msr_action3d.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]
