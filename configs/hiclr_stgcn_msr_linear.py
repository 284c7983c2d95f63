# Linear evaluation on MSR-Action3D, cross-subject: this project's recipe, which the
# schedule explains.
_base_ = [
    '_base_/linear_small_runtime.py',
    '_base_/models/recognizer_stgcn_small.py',
    '_base_/datasets/msr_action3d_labelled.py',
    '_base_/schedules/linear_small.py',
]

pretrained = 'work_dirs/hiclr_stgcn_msr/epoch_250.pth'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    cls_head=dict(num_classes=20),
)
