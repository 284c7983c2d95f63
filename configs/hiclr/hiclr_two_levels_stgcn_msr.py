# HiCLR on MSR-Action3D with two levels: the strong view is pulled to the basic one.
_base_ = 'hiclr_stgcn_msr.py'

model = dict(
    data_preprocessor=dict(views=dict(levels=[_base_.basic_and_normal, _base_.strong])),
    head=dict(level_weights=(1.0, 0.5)),
)
