# HiCLR for some hundred clips, on which the released recipe collapses: a narrow
# encoder without dropout, Kaiming initialisation, a short queue, a faster key encoder.
init_cfg = [
    dict(type='Kaiming', layer=['Conv2d', 'Linear']),
    dict(type='Constant', layer=['BatchNorm1d', 'BatchNorm2d'], val=1),
]
# Key and weakest view from the basic and the normal set, which
# does better there than the basic one alone; the second query is another draw of it.
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
growing = [basic_and_normal, [], strong]

model = dict(
    type='HiCLR',
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor', layout='kinect20', views=dict(levels=growing)
    ),
    backbone=dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='kinect20', mode='stgcn_spatial'),
        base_channels=16,
        out_channels=64,
        init_cfg=init_cfg,
    ),
    neck=dict(
        type='SkeletonProjector', in_channels=64, out_channels=128, init_cfg=init_cfg
    ),
    head=dict(
        type='HierarchicalContrastHead', temperature=0.1, level_weights=(1.0, 0.5, 0.5)
    ),
    queue_size=256,
    momentum=0.01,
)
