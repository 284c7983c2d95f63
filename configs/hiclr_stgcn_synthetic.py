# The embedded default: no file needed, about four minutes on two cores.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/models/hiclr_stgcn_small.py',
    '_base_/datasets/synthetic.py',
    '_base_/schedules/pretrain_small.py',
]

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
train_cfg = dict(max_epochs=40, val_interval=10)
