# VICReg on your own data (_base_/datasets/custom.py). The number of epochs is computed from
# the number of clips.
_base_ = ['../_base_/models/vicreg_stgcn_small.py', '../_base_/small_custom.py']

# Without negatives, a higher rate learns more: see docs/results.md.
optim_wrapper = dict(optimizer=dict(lr=0.1))

model = dict(
    data_preprocessor=dict(
        _base_.custom_preprocessor, views=dict(levels=_base_.growing)
    ),
    backbone=_base_.custom_backbone,
)
