# The released recipe on skeletons in an image: COCO-17 keypoints (x, y, score) of
# NTU-60. For a set of your own with such keypoints replace the files and splits.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/models/hiclr_stgcn.py',
    '_base_/datasets/ntu60_2d.py',
    '_base_/schedules/pretrain_300e.py',
]

model = dict(
    data_preprocessor=dict(layout='coco'),
    backbone=dict(graph_cfg=dict(layout='coco')),
)
custom_hooks = [
    dict(type='PretrainCheckHook'),
    dict(type='KNNProgressHook'),
    # From epoch 10: the released initialisation spreads little at first.
    dict(type='CollapseWarningHook', begin=3000),
    dict(type='NeighborMiningHook', begin=150),
]
