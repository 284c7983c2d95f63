# PCM3 on your own data (_base_/datasets/custom.py). The number of epochs is computed from
# the number of clips.
_base_ = ['../_base_/models/pcm3_stgcn_small.py', '../_base_/small_custom.py']

model = dict(
    data_preprocessor=dict(
        _base_.custom_preprocessor, views=dict(levels=_base_.prompted)
    ),
    backbone=_base_.custom_backbone,
)
