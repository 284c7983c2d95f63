# HiCLR for the synthetic default: narrow, so that it trains in minutes on two cores. It has
# three levels as in the paper, but the weakest has all augmentations except the mask.
init_cfg = [
    dict(type='Kaiming', layer=['Conv2d', 'Linear']),
    dict(type='Constant', layer=['BatchNorm1d', 'BatchNorm2d'], val=1),
]
basic_and_normal = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear'),
    dict(type='SkeletonMirror'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
    dict(type='SkeletonBlur', normalize=True),
    dict(type='SkeletonChannelMask'),
]
strong = [dict(type='SkeletonJointMask', ratio=0.1)]

model = dict(
    type='HiCLR',
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor',
        layout='nturgb+d',
        views=dict(levels=[basic_and_normal, [], strong]),
    ),
    backbone=dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial'),
        base_channels=8,
        out_channels=64,
        num_stages=6,
        inflate_stages=[3, 5],
        down_stages=[3, 5],
        init_cfg=init_cfg,
    ),
    neck=dict(
        type='SkeletonProjector', in_channels=64, out_channels=128, init_cfg=init_cfg
    ),
    head=dict(
        type='HierarchicalContrastHead', temperature=0.1, level_weights=(1.0, 0.5, 0.5)
    ),
    queue_size=128,
    momentum=0.01,
)
