# The released recipe, unchanged (joint stream, cross-subject).
_base_ = [
    '_base_/released_runtime.py',
    '_base_/models/hiclr_stgcn.py',
    '_base_/datasets/ntu60.py',
    '_base_/schedules/pretrain_300e.py',
]
