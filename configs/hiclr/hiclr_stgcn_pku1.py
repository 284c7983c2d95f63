# HiCLR on PKU-MMD I (joint stream, cross-subject): the recipe of NTU-60 for twice as many
# epochs, as in the paper.
_base_ = [
    '../_base_/released_runtime.py',
    '../_base_/models/hiclr_stgcn.py',
    '../_base_/datasets/pku1.py',
    '../_base_/schedules/pretrain_300e.py',
]

train_cfg = dict(max_epochs=600)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[500], gamma=0.1, by_epoch=True, end=600)
]
model = dict(mining=dict(begin=300))
