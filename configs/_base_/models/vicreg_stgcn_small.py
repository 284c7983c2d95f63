# VICReg for a few hundred clips: encoder and views of the small HiCLR, and a wide projector
# with batch norm. There is no queue.
_base_ = 'hiclr_stgcn_small.py'

model = dict(
    _delete_=True,
    type='SkeletonVICReg',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=_base_.model.backbone,
    neck=dict(
        type='SkeletonProjector',
        in_channels=64,
        hid_channels=512,
        out_channels=512,
        norm=True,
        pool=dict(time=4),
        init_cfg=_base_.init_cfg,
    ),
    pool=_base_.model.pool,
    head=dict(
        type='DecorrelationHead', loss='vicreg', level_weights=_base_.level_weights
    ),
)
