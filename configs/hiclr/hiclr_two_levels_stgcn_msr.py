# HiCLR on MSR-Action3D with two levels: the strong view is pulled to the basic one.
_base_ = 'hiclr_stgcn_msr.py'

model = dict(head=dict(level_weights=(1.0, 0.5)))
levels = [_base_.basic_and_normal, _base_.strong]
train_pipeline = [
    _base_.align,
    dict(type='GrowingAugmentation', levels=levels, layout=_base_.layout),
    dict(type='PackSkeletonViews'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
