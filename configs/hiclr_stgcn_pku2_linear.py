# Linear evaluation on PKU-MMD II: NTU-60's recipe for twice the epochs, as the
# paper has it.
_base_ = [
    '_base_/labelled_runtime.py',
    '_base_/models/recognizer_stgcn.py',
    '_base_/datasets/pku2_labelled.py',
    '_base_/schedules/linear_100e.py',
]

pretrained = 'work_dirs/hiclr_stgcn_pku2/epoch_1500.pth'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    cls_head=dict(num_classes=51),
)
train_cfg = dict(max_epochs=200)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[160], gamma=0.1, by_epoch=True, end=200)
]
