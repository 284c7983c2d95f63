# The released recipe on skeletons in an image: COCO-17 keypoints (x, y, score) of
# NTU-60. For a set of your own with such keypoints replace the files and splits.
_base_ = [
    '../_base_/released_runtime.py',
    '../_base_/models/hiclr_stgcn.py',
    '../_base_/datasets/ntu60_2d.py',
    '../_base_/schedules/pretrain_300e.py',
]

model = dict(
    data_preprocessor=dict(layout='coco'),
    backbone=dict(graph_cfg=dict(layout='coco')),
)
