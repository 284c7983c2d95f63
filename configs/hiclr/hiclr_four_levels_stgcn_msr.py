# HiCLR on MSR-Action3D with four levels: the last adds to the joint mask edges that are
# dropped and added, and SkeleAdaIN.
_base_ = 'hiclr_stgcn_msr.py'

model = dict(
    data_preprocessor=dict(ada_in=dict(dims='TV', levels=[-1])),
    head=dict(level_weights=(1.0, 0.5, 0.5, 0.5)),
    graph_augment=dict(drop=0.1, add=0.05, levels=[-1]),
)
levels = [*_base_.growing, []]
train_pipeline = [
    _base_.align,
    dict(type='GrowingAugmentation', levels=levels, layout=_base_.layout),
    dict(type='PackSkeletonViews'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
