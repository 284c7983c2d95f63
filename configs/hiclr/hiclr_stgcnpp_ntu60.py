# HiCLR around ST-GCN++ of MMAction2.
_base_ = '../hiclr_stgcn_ntu60.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='STGCN',
        graph_cfg=dict(layout='nturgb+d', mode='spatial'),
        gcn_adaptive='init',
        gcn_with_res=True,
        tcn_type='mstcn',
    )
)
