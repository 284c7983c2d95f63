# HiCLR for a few hundred clips: a small encoder of six blocks, a projector and features
# that keep time segments separate, half of the clips as negatives, and views that do not
# exchange left and right. See docs/results.md for the trials that led to it.
init_cfg = [
    dict(type='Kaiming', layer=['Conv2d', 'Linear']),
    dict(type='Constant', layer=['BatchNorm1d', 'BatchNorm2d'], val=1),
]
basic = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
]
strong = [dict(type='SkeletonJointMask', ratio=0.3)]
growing = [basic, strong]
level_weights = (1.0, 0.5)
# SkeletonCLR: `model = _base_.skeletonclr`.
skeletonclr = dict(
    data_preprocessor=dict(views=dict(levels=[basic])),
    head=dict(level_weights=(1.0,)),
    mask_token=False,
)

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
        num_stages=6,
        inflate_stages=[3, 5],
        down_stages=[3, 5],
        zero_init_residual=True,
        init_cfg=init_cfg,
    ),
    neck=dict(
        type='SkeletonProjector',
        in_channels=64,
        out_channels=128,
        pool=dict(time=4),
        init_cfg=init_cfg,
    ),
    head=dict(
        type='HierarchicalContrastHead', temperature=0.1, level_weights=level_weights
    ),
    # Our programs compute it from the number of clips; see HiCLR.fill.
    queue_size=None,
    momentum=0.01,
    # The features of two early blocks are added: they know where joints are.
    pool=dict(time=4, joints=True, std=True, layers=['gcn.1', 'gcn.3']),
)
