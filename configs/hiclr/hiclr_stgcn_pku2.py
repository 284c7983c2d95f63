# HiCLR on PKU-MMD II (joint stream, cross-subject): the recipe of NTU-60 for five times as
# many epochs, as in the paper.
_base_ = [
    '../_base_/released_runtime.py',
    '../_base_/models/hiclr_stgcn.py',
    '../_base_/datasets/pku2.py',
    '../_base_/schedules/pretrain_300e.py',
]

train_cfg = dict(max_epochs=1500)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[1250], gamma=0.1, by_epoch=True, end=1500)
]
model = dict(mining=dict(begin=750))

# Linear evaluation for twice as many epochs as on NTU-60, as in the paper.
protocols = dict(
    linear=dict(
        train_cfg=dict(max_epochs=200),
        param_scheduler=[
            dict(
                type='MultiStepLR', milestones=[160], gamma=0.1, by_epoch=True, end=200
            )
        ],
    )
)
