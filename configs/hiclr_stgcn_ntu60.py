# The released recipe, nothing changed (joint stream, cross-subject).
_base_ = [
    '_base_/default_runtime.py',
    '_base_/models/hiclr_stgcn.py',
    '_base_/datasets/ntu60.py',
    '_base_/schedules/pretrain_300e.py',
]

custom_hooks = [
    dict(type='PretrainCheckHook'),
    dict(type='KNNProgressHook'),
    # From epoch 10: the released initialisation spreads little at first.
    dict(type='CollapseWarningHook', begin=3000),
    dict(type='NeighborMiningHook', begin=150),
]
