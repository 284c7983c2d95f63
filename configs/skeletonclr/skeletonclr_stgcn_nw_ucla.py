# SkeletonCLR on NW-UCLA: one query level, otherwise as the HiCLR config.
_base_ = '../hiclr/hiclr_stgcn_nw_ucla.py'

model = _base_.skeletonclr
