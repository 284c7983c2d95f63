# HiCLR for the embedded default: narrower still, to learn in minutes on two cores.
_base_ = 'hiclr_stgcn_small.py'

model = dict(
    data_preprocessor=dict(layout='nturgb+d'),
    backbone=dict(
        graph_cfg=dict(layout='nturgb+d'),
        base_channels=8,
        num_stages=6,
        inflate_stages=[3, 5],
        down_stages=[3, 5],
    ),
    queue_size=128,
)
