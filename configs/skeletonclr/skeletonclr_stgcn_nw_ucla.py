# SkeletonCLR on NW-UCLA: one query level, all else as in the HiCLR config.
_base_ = '../hiclr/hiclr_stgcn_nw_ucla.py'

model = dict(head=dict(level_weights=(1.0,)), mask_token=False)
train_pipeline = [
    _base_.align,
    dict(
        type='GrowingAugmentation',
        levels=[_base_.basic_and_normal],
        layout=_base_.layout,
    ),
    dict(type='PackSkeletonViews'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
