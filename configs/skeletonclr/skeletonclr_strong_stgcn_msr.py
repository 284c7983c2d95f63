# SkeletonCLR on MSR-Action3D with strong augmentations: one query level with all of them.
# The key has all but the mask.
_base_ = 'skeletonclr_stgcn_msr.py'

model = dict(
    data_preprocessor=dict(views=dict(levels=[_base_.basic + _base_.strong])),
    mask_token=True,
)
