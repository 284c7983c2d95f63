# SkeletonCLR on MSR-Action3D, given the strong augmentation directly: one query level
# that has all of them, and so has its key but for the mask.
_base_ = 'skeletonclr_stgcn_msr.py'

model = dict(mask_token=True)
train_pipeline = [
    _base_.align,
    dict(
        type='GrowingAugmentation',
        levels=[_base_.basic_and_normal + _base_.strong],
        layout=_base_.layout,
    ),
    dict(type='PackSkeletonViews'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
