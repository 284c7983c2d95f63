# Linear evaluation on NW-UCLA, cross-view: this project's recipe, which the
# schedule explains.
_base_ = [
    '_base_/linear_small_runtime.py',
    '_base_/models/recognizer_stgcn_small.py',
    '_base_/datasets/nw_ucla_labelled.py',
    '_base_/schedules/linear_small.py',
]

pretrained = 'work_dirs/hiclr_stgcn_nw_ucla/epoch_65.pth'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    cls_head=dict(num_classes=10),
)
