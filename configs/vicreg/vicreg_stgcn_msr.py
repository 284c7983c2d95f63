# VICReg on MSR-Action3D, cross-subject.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/vicreg_stgcn_small.py',
    '../_base_/datasets/msr_action3d.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

# Without negatives, a higher rate learns more: see docs/results.md.
optim_wrapper = dict(optimizer=dict(lr=0.1))

# Barlow Twins: --cfg-options model.head.loss=barlow
