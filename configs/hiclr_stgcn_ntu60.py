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
    dict(type='CollapseWarningHook'),
    dict(type='NeighborMiningHook', begin=150),
]
