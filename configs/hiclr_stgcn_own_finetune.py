# Fine-tuning on a set of your own of what hiclr_stgcn_own.py has pre-trained.
_base_ = [
    '_base_/labelled_runtime.py',
    '_base_/models/recognizer_stgcn_small.py',
    '_base_/datasets/own_labelled.py',
    '_base_/schedules/finetune_small.py',
]

pretrained = 'work_dirs/hiclr_stgcn_own/epoch_400.pth'
model = dict(
    data_preprocessor=dict(
        _delete_=True, type='SkeletonViewPreprocessor', layout=_base_.layout
    ),
    backbone=dict(
        graph_cfg=dict(_delete_=True, layout=_base_.layout, mode='stgcn_spatial'),
        init_cfg=dict(checkpoint=pretrained),
    ),
    cls_head=dict(num_classes=5),
)
