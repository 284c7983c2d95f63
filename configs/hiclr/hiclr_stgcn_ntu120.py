# HiCLR on NTU-120 (joint stream, cross-subject), with the recipe of NTU-60 as in the paper.
_base_ = [
    '../_base_/released_runtime.py',
    '../_base_/models/hiclr_stgcn.py',
    '../_base_/datasets/ntu120.py',
    '../_base_/schedules/pretrain_300e.py',
]
