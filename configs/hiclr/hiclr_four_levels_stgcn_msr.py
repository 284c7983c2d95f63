# HiCLR on MSR-Action3D with four levels: the last adds to the joint mask edges that are
# dropped and added, and SkeleAdaIN.
_base_ = 'hiclr_stgcn_msr.py'

model = dict(
    data_preprocessor=dict(
        views=dict(levels=[_base_.basic, [], _base_.strong, []]),
        ada_in=dict(dims='TV', levels=[-1]),
    ),
    head=dict(level_weights=(1.0, 0.5, 0.5, 0.5)),
    graph_augment=dict(drop=0.1, add=0.05, levels=[-1]),
)
