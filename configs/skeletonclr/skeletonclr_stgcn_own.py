# SkeletonCLR on a set of your own: one query level, all else as in the HiCLR config.
_base_ = '../hiclr/hiclr_stgcn_own.py'

model = _base_.skeletonclr
