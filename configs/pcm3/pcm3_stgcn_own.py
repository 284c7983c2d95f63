# PCM3 on your own data (_base_/datasets/custom.py). The number of epochs is computed from
# the number of clips.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/pcm3_stgcn_small.py',
    '../_base_/datasets/custom.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

model = dict(
    # `_delete_`: the layout may be a dict.
    data_preprocessor=dict(
        _delete_=True,
        type='SkeletonViewPreprocessor',
        layout=_base_.layout,
        views=dict(levels=_base_.prompted),
    ),
    backbone=dict(
        graph_cfg=dict(_delete_=True, layout=_base_.layout, mode='stgcn_spatial')
    ),
)
