# HiCLR on your own data (_base_/datasets/custom.py). Number of epochs and queue size are
# computed from the number of clips.
_base_ = ['../_base_/models/hiclr_stgcn_small.py', '../_base_/small_custom.py']

model = dict(
    data_preprocessor=dict(
        _base_.custom_preprocessor, views=dict(levels=_base_.growing)
    ),
    backbone=_base_.custom_backbone,
)
