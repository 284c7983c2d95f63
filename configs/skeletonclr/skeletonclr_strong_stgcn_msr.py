# SkeletonCLR on MSR-Action3D, given the strong augmentation directly: one query level
# that has all of them, and so has its key but for the mask.
_base_ = 'skeletonclr_stgcn_msr.py'

model = dict(
    data_preprocessor=dict(views=dict(levels=[_base_.basic + _base_.strong])),
    mask_token=True,
)
