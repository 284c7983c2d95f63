# Linear evaluation on NTU-120: the recipe released for NTU-60, as the paper has it.
_base_ = [
    '_base_/labelled_runtime.py',
    '_base_/models/recognizer_stgcn.py',
    '_base_/datasets/ntu120_labelled.py',
    '_base_/schedules/linear_100e.py',
]

pretrained = 'work_dirs/hiclr_stgcn_ntu120/epoch_300.pth'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    cls_head=dict(num_classes=120),
)
