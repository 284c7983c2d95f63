# HiCLR on MSR-Action3D with four levels. Besides masking joints, the last one drops and
# adds edges and applies SkeleAdaIN.
_base_ = 'hiclr_stgcn_msr.py'

model = dict(
    data_preprocessor=dict(
        views=dict(levels=[_base_.basic, [], _base_.strong, []]),
        ada_in=dict(dims='TV', levels=[-1]),
    ),
    head=dict(level_weights=(1.0, 0.5, 0.5, 0.5)),
    graph_augment=dict(drop=0.1, add=0.05, levels=[-1]),
)
