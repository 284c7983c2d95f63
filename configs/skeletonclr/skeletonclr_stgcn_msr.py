# SkeletonCLR on MSR-Action3D: one query level, otherwise as the HiCLR config.
_base_ = '../hiclr/hiclr_stgcn_msr.py'

model = dict(
    data_preprocessor=dict(views=dict(levels=[_base_.basic])),
    head=dict(level_weights=(1.0,)),
    mask_token=False,
)
