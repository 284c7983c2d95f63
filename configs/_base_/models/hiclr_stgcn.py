# HiCLR as released: github.com/JHang2020/HiCLR, commit 49ffdf8,
# config/release/gcn_ntu60/pretext/pretext_hiclr_xsub_joint.yaml and weights_init.
init_cfg = [
    dict(type='Normal', layer=['Conv2d', 'Linear'], mean=0, std=0.02, bias=0),
    dict(type='Normal', layer=['BatchNorm1d', 'BatchNorm2d'], mean=1, std=0.02, bias=0),
]
basic = [dict(type='SkeletonTemporalCrop'), dict(type='SkeletonShear')]
normal = [
    dict(type='SkeletonMirror'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise', absent=True),
    dict(type='SkeletonBlur'),
    dict(type='SkeletonChannelMask'),
]
strong = [dict(type='SkeletonJointMask', ratio=0.1)]
model = dict(
    type='HiCLR',
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor',
        layout='nturgb+d-stgcn',
        stream='joint',
        views=dict(levels=[basic, normal, strong]),
    ),
    backbone=dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='nturgb+d-stgcn', mode='stgcn_spatial'),
        base_channels=16,
        out_channels=256,
        tcn_dropout=0.5,
        init_cfg=init_cfg,
    ),
    neck=dict(
        type='SkeletonProjector', in_channels=256, out_channels=128, init_cfg=init_cfg
    ),
    head=dict(
        type='HierarchicalContrastHead',
        temperature=0.07,
        level_weights=(1.0, 0.5, 0.5),
        similarity='kl',
        asymmetric=True,
    ),
    queue_size=32768,
    momentum=0.001,
    mining=dict(topk=1, begin=150),
    mask_token=True,
)
