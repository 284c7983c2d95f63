# Masked latent prediction for a few hundred clips: encoder and views of the small HiCLR.
# In each quarter of the clip, another half of the joints is masked.
_base_ = 'hiclr_stgcn_small.py'

masked = [
    *_base_.basic,
    dict(type='SkeletonJointMask', ratio=0.5, segments=4),
]
model = dict(
    _delete_=True,
    type='MaskedLatentPrediction',
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor', layout='kinect20', views=dict(levels=[masked])
    ),
    backbone=_base_.model.backbone,
    neck=dict(
        type='SkeletonPredictor',
        in_channels=64,
        hid_channels=128,
        init_cfg=_base_.init_cfg,
    ),
    head=dict(type='LatentPredictionHead'),
    momentum=0.01,
    pool=_base_.model.pool,
)
