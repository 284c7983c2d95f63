# HiCLR around MMAction2's own ST-GCN, four times as wide as HiCLR's.
_base_ = '../hiclr_stgcn_ntu60.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='STGCN',
        graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial'),
    )
)
