# SkeletonCLR on a set of your own: one query level, all else as in the HiCLR config.
_base_ = '../hiclr/hiclr_stgcn_own.py'

model = dict(
    data_preprocessor=dict(views=dict(levels=[_base_.basic])),
    head=dict(level_weights=(1.0,)),
    mask_token=False,
)
