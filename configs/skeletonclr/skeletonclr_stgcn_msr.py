# SkeletonCLR on MSR-Action3D: one query level, otherwise as the HiCLR config.
_base_ = '../hiclr/hiclr_stgcn_msr.py'

model = _base_.skeletonclr
