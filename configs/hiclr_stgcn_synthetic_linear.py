# Linear evaluation on the embedded default: this project's recipe, which the
# schedule explains.
_base_ = [
    '_base_/linear_small_runtime.py',
    '_base_/models/recognizer_stgcn_tiny.py',
    '_base_/datasets/synthetic_labelled.py',
    '_base_/schedules/linear_small.py',
]

pretrained = 'work_dirs/hiclr_stgcn_synthetic/epoch_40.pth'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    cls_head=dict(num_classes=12),
)
