# VICReg on NW-UCLA, cross-view.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/vicreg_stgcn_small.py',
    '../_base_/datasets/nw_ucla.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

# Without negatives, a higher rate learns more: see docs/results.md.
optim_wrapper = dict(optimizer=dict(lr=0.1))
