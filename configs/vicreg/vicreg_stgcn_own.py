# VICReg on your own data (_base_/datasets/custom.py). The number of epochs is computed from
# the number of clips.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/vicreg_stgcn_small.py',
    '../_base_/datasets/custom.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

# Without negatives, a higher rate learns more: see docs/results.md.
optim_wrapper = dict(optimizer=dict(lr=0.1))

model = dict(
    # `_delete_`: the layout may be a dict.
    data_preprocessor=dict(
        _delete_=True,
        type='SkeletonViewPreprocessor',
        layout=_base_.layout,
        views=dict(levels=_base_.growing),
    ),
    backbone=dict(
        graph_cfg=dict(_delete_=True, layout=_base_.layout, mode='stgcn_spatial')
    ),
)
