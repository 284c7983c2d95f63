# The released recipe on 2-D skeletons: COCO-17 keypoints (x, y, score) of
# NTU-60. For your own COCO keypoints replace the files and splits.
_base_ = [
    '../_base_/released_runtime.py',
    '../_base_/models/hiclr_stgcn.py',
    '../_base_/datasets/ntu60_2d.py',
    '../_base_/schedules/pretrain_300e.py',
]

# An absent person gets no noise: its score is 0.
normal = [
    dict(type='SkeletonMirror'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
    dict(type='SkeletonBlur'),
    dict(type='SkeletonChannelMask'),
]
model = dict(
    data_preprocessor=dict(
        layout='coco', views=dict(levels=[_base_.basic, normal, _base_.strong])
    ),
    backbone=dict(graph_cfg=dict(layout='coco')),
)
